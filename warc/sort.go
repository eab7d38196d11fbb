package warc

import (
	"bufio"
	"container/heap"
	"errors"
	"io"
	"os"
	"slices"
)

// sortRoom is how many bytes of lines are sorted at a time.
const sortRoom = 4 << 20

// sorter sorts lines, however many there are: what it has no room for waits in a
// file, in sorted runs that are merged in the end.
type sorter struct {
	dir   string // for the file
	room  int
	lines []string
	size  int
	file  *os.File
	out   *bufio.Writer
	at    int64 // in the file
	runs  []run
}

// run is a run of sorted lines in the file.
type run struct{ from, to int64 }

func (s *sorter) add(line string) error {
	s.lines = append(s.lines, line)
	if s.size += len(line); s.size < s.room {
		return nil
	}
	return s.spill()
}

// spill writes what is held as a run.
func (s *sorter) spill() error {
	if s.file == nil {
		var err error
		if s.file, err = os.CreateTemp(s.dir, "sort-"); err != nil {
			return err
		}
		s.out = bufio.NewWriterSize(s.file, bufferSize)
	}
	slices.Sort(s.lines)
	begin := s.at
	for _, line := range s.lines {
		n, err := s.out.WriteString(line)
		s.at += int64(n)
		if err != nil {
			return err
		}
	}
	s.runs = append(s.runs, run{begin, s.at})
	s.lines, s.size = s.lines[:0], 0
	return nil
}

// writeTo writes all lines in order, and forgets them.
func (s *sorter) writeTo(w io.Writer) error {
	slices.Sort(s.lines)
	merged := merge{&lineSource{lines: s.lines}}
	if s.file != nil {
		if err := s.out.Flush(); err != nil {
			return err
		}
		for _, r := range s.runs {
			part := io.NewSectionReader(s.file, r.from, r.to-r.from)
			merged = append(merged, &lineSource{from: bufio.NewReaderSize(part, bufferSize/4)})
		}
	}
	if err := merged.writeTo(w); err != nil {
		return err
	}
	return s.close()
}

// close forgets all lines.
func (s *sorter) close() error {
	s.lines, s.size, s.runs, s.at = nil, 0, nil, 0
	if s.file == nil {
		return nil
	}
	err := errors.Join(s.file.Close(), os.Remove(s.file.Name()))
	s.file = nil
	return err
}

// lineSource is sorted lines, in memory or in a file.
type lineSource struct {
	line  string // the next
	lines []string
	from  *bufio.Reader
}

// next goes on to the next line; it returns io.EOF where there is none.
func (s *lineSource) next() (err error) {
	if s.from != nil {
		s.line, err = s.from.ReadString('\n')
		return err
	}
	if len(s.lines) == 0 {
		return io.EOF
	}
	s.line, s.lines = s.lines[0], s.lines[1:]
	return nil
}

// merge is sources in the order of a heap, by their next lines.
type merge []*lineSource

func (m merge) Len() int           { return len(m) }
func (m merge) Less(i, j int) bool { return m[i].line < m[j].line }
func (m merge) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *merge) Push(x any)        { *m = append(*m, x.(*lineSource)) }
func (m *merge) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}

func (m merge) writeTo(w io.Writer) error {
	var begun merge
	for _, s := range m {
		switch err := s.next(); err {
		case nil:
			begun = append(begun, s)
		case io.EOF:
		default:
			return err
		}
	}
	heap.Init(&begun)
	for len(begun) > 0 {
		if _, err := io.WriteString(w, begun[0].line); err != nil {
			return err
		}
		switch err := begun[0].next(); err {
		case nil:
			heap.Fix(&begun, 0)
		case io.EOF:
			heap.Pop(&begun)
		default:
			return err
		}
	}
	return nil
}
