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
// What it takes to use a dictionary is made when it is first needed. It is safe
// for concurrent use.
type codec struct {
	marshal   cbor.EncMode
	unmarshal cbor.DecMode

	rooms sync.Pool // of *[]byte, see packBlock

	mu       sync.Mutex
	decoders map[uint32]*zstd.Decoder // by the number of their dictionary; 0: none
	encoder  *zstd.Encoder            // the last one made
	encodes  uint32                   // with this dictionary
}

func newCodec() (*codec, error) {
	marshal, err := cbor.EncOptions{Sort: cbor.SortCoreDeterministic}.EncMode()
	if err != nil {
		return nil, err
	}
	unmarshal, err := cbor.DecOptions{
		MaxArrayElements: 1 << 24, MaxMapPairs: 1 << 16,
		UTF8: cbor.UTF8DecodeInvalid, // headers and addresses are bytes that a server sent
	}.DecMode()
	if err != nil {
		return nil, err
	}
	return &codec{marshal: marshal, unmarshal: unmarshal, decoders: make(map[uint32]*zstd.Decoder)}, nil
}

// dictSource returns the dictionary with a number.
type dictSource func(id uint32) ([]byte, error)

// packer returns what packs with a dictionary.
func (c *codec) packer(id uint32, dicts dictSource) (*zstd.Encoder, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.encoder != nil && c.encodes == id {
		return c.encoder, nil
	}
	options := []zstd.EOption{zstd.WithEncoderLevel(encoderLevel), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(1 << 20)}
	if id != 0 {
		d, err := dicts(id)
		if err != nil {
			return nil, err
		}
		options = append(options, zstd.WithEncoderDict(d))
	}
	encoder, err := zstd.NewWriter(nil, options...)
	if err != nil {
		return nil, fmt.Errorf("use dictionary %d: %w", id, err)
	}
	c.encoder, c.encodes = encoder, id
	return encoder, nil
}

// unusedBit of a frame's descriptor means nothing (RFC 8878, 3.1.1.1.1.3), and
// no checksum guards it.
const unusedBit = 1 << 4

// unpack undoes pack.
func (c *codec) unpack(frame []byte, dicts dictSource) ([]byte, error) {
	var h zstd.Header
	if err := h.Decode(frame); err != nil {
		return nil, fmt.Errorf("%w: unpack %d bytes: %w", ErrCorrupt, len(frame), err)
	}
	if frame[4]&unusedBit != 0 {
		return nil, fmt.Errorf("%w: unpack %d bytes: a bit that is never set is", ErrCorrupt, len(frame))
	}
	decoder, err := c.unpacker(h.DictionaryID, dicts)
	if err != nil {
		return nil, err
	}
	data, err := decoder.DecodeAll(frame, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: unpack %d bytes: %w", ErrCorrupt, len(frame), err)
	}
	return data, nil
}

// unpacker returns what unpacks with a dictionary.
func (c *codec) unpacker(id uint32, dicts dictSource) (*zstd.Decoder, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := c.decoders[id]; d != nil {
		return d, nil
	}
	options := []zstd.DOption{zstd.WithDecoderMaxMemory(maxBlob), zstd.WithDecoderLowmem(true)}
	if id != 0 {
		d, err := dicts(id)
		if err != nil {
			return nil, err
		}
		options = append(options, zstd.WithDecoderDicts(d))
	}
	decoder, err := zstd.NewReader(nil, options...)
	if err != nil {
		return nil, fmt.Errorf("%w: use dictionary %d: %w", ErrCorrupt, id, err)
	}
	c.decoders[id] = decoder
	return decoder, nil
}

// pack returns data as one frame.
func pack(with *zstd.Encoder, data []byte) []byte {
	return with.EncodeAll(data, make([]byte, 0, len(data)/4+64))
}

func (c *codec) encode(v any) ([]byte, error) { return c.marshal.Marshal(v) }

func (c *codec) decode(data []byte, v any) error {
	if err := c.unmarshal.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return nil
}
