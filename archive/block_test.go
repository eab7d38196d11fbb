package archive

import (
	"bytes"
	"errors"
	"testing"
)

func FuzzDecodeBlock(f *testing.F) {
	f.Add(encodeBlock(nil, nil))
	f.Add(encodeBlock(nil, []value{{[]byte("一"), []byte("二")}, {}, {nil, []byte("三")}}))
	f.Add([]byte{3, 1, 1})
	f.Add(bytes.Repeat([]byte{0xff}, 20))
	f.Fuzz(func(t *testing.T, b []byte) {
		values, err := decodeBlock(b)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Errorf("not told as damage: %v", err)
			}
			return
		}
		again := make([]value, len(values))
		for i, v := range values {
			again[i] = value{v}
		}
		back, err := decodeBlock(encodeBlock(nil, again))
		if err != nil || len(back) != len(values) {
			t.Fatalf("%d values come back as %d, %v", len(values), len(back), err)
		}
		for i := range back {
			if !bytes.Equal(back[i], values[i]) {
				t.Errorf("value %d: %q comes back as %q", i, values[i], back[i])
			}
		}
	})
}

func FuzzDecodeEntries(f *testing.F) {
	f.Add(encodeEntries([]entry{newEntry(0, 1), newEntry(0, 2), newEntry(3599, 1)}))
	f.Add([]byte{0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := decodeEntries(b)
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Errorf("not told as damage: %v", err)
		}
		_ = encodeEntries(entries)
	})
}

func TestEntriesComeBack(t *testing.T) {
	want := []entry{newEntry(0, 5), newEntry(0, 9), newEntry(17, 2), newEntry(86399, 1<<40-1)}
	got, err := decodeEntries(encodeEntries(want))
	if err != nil || len(got) != len(want) {
		t.Fatalf("%v, %v", got, err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("entry %d: %x, want %x", i, got[i], want[i])
		}
	}
}
