package warc

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Magic numbers of Zstandard (RFC 8878, 3.1 and 5): of a frame, of a dictionary, and
// of the skippable frame in front of a WARC file that holds one.
var (
	zstdMagic     = []byte{0x28, 0xb5, 0x2f, 0xfd}
	dictMagic     = []byte{0x37, 0xa4, 0x30, 0xec}
	zstdDictMagic = []byte{0x5d, 0x2a, 0x4d, 0x18}
)

// Bounds on Zstandard.
const (
	maxZstdWindow = 32 << 20
	maxDict       = 16 << 20
)

// zstdFrames opens Zstandard frames.
type zstdFrames struct {
	z *zstd.Decoder
}

func newZstdFrames(b *bufio.Reader) (*zstdFrames, error) {
	options := []zstd.DOption{
		zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxZstdWindow),
	}
	dict, err := readDict(b)
	switch {
	case err != nil:
		return nil, err
	case bytes.HasPrefix(dict, dictMagic):
		options = append(options, zstd.WithDecoderDicts(dict))
	case len(dict) > 0:
		options = append(options, zstd.WithDecoderDictRaw(0, dict))
	}
	z, err := zstd.NewReader(nil, options...)
	return &zstdFrames{z}, err
}

// readDict reads the dictionary in front of a file, if there is one. It may be
// compressed itself.
func readDict(b *bufio.Reader) ([]byte, error) {
	head, err := b.Peek(8)
	if err != nil || !bytes.Equal(head[:4], zstdDictMagic) {
		return nil, nil // that the file is cut is told where it is read
	}
	n := binary.LittleEndian.Uint32(head[4:])
	if n > maxDict {
		return nil, fmt.Errorf("%d bytes, and so more than %d MiB", n, maxDict>>20)
	}
	if _, err := b.Discard(len(head)); err != nil {
		return nil, err
	}
	dict, err := io.ReadAll(io.LimitReader(b, int64(n)))
	switch {
	case err != nil:
		return nil, err
	case len(dict) < int(n):
		return nil, ErrCut
	case !bytes.HasPrefix(dict, zstdMagic):
		return dict, nil
	}
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxDict))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	return z.DecodeAll(dict, nil)
}

func (f *zstdFrames) next(b *bufio.Reader) (io.Reader, error) {
	if err := skipSkippable(b); err != nil {
		return nil, err
	}
	if _, err := b.Peek(1); err != nil {
		return nil, err
	}
	m := &frameReader{f.z, frame{b: b}}
	return m, f.z.Reset(&m.frame)
}

// frameReader is what a frame holds.
type frameReader struct {
	z     *zstd.Decoder
	frame frame
}

// Read tells a frame that is cut from one that ends, which the decoder does not
// always.
func (m *frameReader) Read(p []byte) (int, error) {
	n, err := m.z.Read(p)
	if err == io.EOF && !(m.frame.last && m.frame.left == 0) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// skipSkippable passes over frames that hold nothing for us (RFC 8878, 3.1.2).
func skipSkippable(b *bufio.Reader) error {
	for {
		head, err := b.Peek(8)
		if err != nil || head[0]&0xf0 != 0x50 || !bytes.Equal(head[1:4], zstdDictMagic[1:]) {
			return nil // what stands here is for the decoder
		}
		n := int64(binary.LittleEndian.Uint32(head[4:]))
		if _, err := io.CopyN(io.Discard, b, n+8); err != nil {
			return io.ErrUnexpectedEOF
		}
	}
}

// frame is one frame of a file, and no byte of the next: it walks over the sizes of
// the blocks (RFC 8878, 3.1.1), so that what follows is not read with it.
type frame struct {
	b    *bufio.Reader
	left int64 // bytes up to the next size

	begun, last bool
	checksum    int64 // how long it is
}

var errFrame = errors.New("no Zstandard frame")

func (f *frame) Read(p []byte) (int, error) {
	if f.left == 0 {
		if err := f.measure(); err != nil {
			return 0, err
		}
	}
	n, err := f.b.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// measure tells how long the next part of the frame is: its header, or a block.
func (f *frame) measure() error {
	switch {
	case f.last:
		return io.EOF
	case !f.begun:
		f.begun = true
		return f.measureHeader()
	}
	head, err := f.b.Peek(3)
	if err != nil {
		return io.ErrUnexpectedEOF
	}
	const repeated = 1 // a type of block: a byte that is repeated so many times as the size tells
	bits := int64(head[0]) | int64(head[1])<<8 | int64(head[2])<<16
	f.left = 3 + bits>>3
	if bits>>1&3 == repeated {
		f.left = 3 + 1
	}
	if f.last = bits&1 == 1; f.last {
		f.left += f.checksum
	}
	return nil
}

// measureHeader tells how long the frame's header is (RFC 8878, 3.1.1.1).
func (f *frame) measureHeader() error {
	head, err := f.b.Peek(len(zstdMagic) + 1)
	switch {
	case err != nil:
		return io.ErrUnexpectedEOF
	case !bytes.HasPrefix(head, zstdMagic):
		return errFrame
	}
	descriptor := head[len(zstdMagic)]
	single := descriptor >> 5 & 1
	f.left = int64(len(head)) + int64(1-single) + [4]int64{0, 1, 2, 4}[descriptor&3] + [4]int64{int64(single), 2, 4, 8}[descriptor>>6]
	f.checksum = int64(descriptor>>2&1) * 4
	return nil
}
