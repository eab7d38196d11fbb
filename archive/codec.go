package archive

import (
	"fmt"
	"sync"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"
)

// maxBlob bounds what one stored value may grow to when it is unpacked, so
// that a damaged length cannot take all memory.
const maxBlob = 256 << 20

// encoderLevel is the one that is worth its time on blocks with a dictionary;
// ARCHITECTURE.md has the figures of the others.
const encoderLevel = zstd.SpeedFastest

// codec turns values into stored bytes and back: CBOR (RFC 8949) in Zstandard
// frames (RFC 8878). A frame names the dictionary it needs, so values written
// with any of the archive's dictionaries, or none, stay readable side by side.
// It is safe for concurrent use.
type codec struct {
	marshal   cbor.EncMode
	unmarshal cbor.DecMode

	rooms sync.Pool // of *[]byte, see packBlock

	mu      sync.RWMutex
	dicts   map[uint32][]byte
	current uint32 // the dictionary that new values are packed with; 0: none
	enc     *zstd.Encoder
	dec     *zstd.Decoder
}

func newCodec() (*codec, error) {
	marshal, err := cbor.EncOptions{Sort: cbor.SortCoreDeterministic}.EncMode()
	if err != nil {
		return nil, err
	}
	unmarshal, err := cbor.DecOptions{MaxArrayElements: 1 << 24, MaxMapPairs: 1 << 16}.DecMode()
	if err != nil {
		return nil, err
	}
	c := &codec{marshal: marshal, unmarshal: unmarshal}
	return c, c.use(nil)
}

// use makes dicts the known dictionaries, and the one with the greatest
// number the one to pack with.
func (c *codec) use(dicts map[uint32][]byte) error {
	enc := []zstd.EOption{zstd.WithEncoderLevel(encoderLevel), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(1 << 20)}
	dec := []zstd.DOption{zstd.WithDecoderMaxMemory(maxBlob), zstd.WithDecoderLowmem(true)}
	var current uint32
	for id, d := range dicts {
		current = max(current, id)
		dec = append(dec, zstd.WithDecoderDicts(d))
	}
	if current != 0 {
		enc = append(enc, zstd.WithEncoderDict(dicts[current]))
	}
	encoder, err := zstd.NewWriter(nil, enc...)
	if err != nil {
		return fmt.Errorf("use dictionary %d: %w", current, err)
	}
	decoder, err := zstd.NewReader(nil, dec...)
	if err != nil {
		return fmt.Errorf("use %d dictionaries: %w", len(dicts), err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dec != nil {
		c.dec.Close()
	}
	c.dicts, c.current, c.enc, c.dec = dicts, current, encoder, decoder
	return nil
}

// newest returns the number of the dictionary that new values are packed with.
func (c *codec) newest() uint32 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.current
}

func (c *codec) pack(data []byte) []byte {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.enc.EncodeAll(data, make([]byte, 0, len(data)/4+64))
}

func (c *codec) unpack(frame []byte) ([]byte, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	data, err := c.dec.DecodeAll(frame, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: unpack %d bytes: %w", ErrCorrupt, len(frame), err)
	}
	return data, nil
}

func (c *codec) encode(v any) ([]byte, error) { return c.marshal.Marshal(v) }

func (c *codec) decode(data []byte, v any) error {
	if err := c.unmarshal.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return nil
}
