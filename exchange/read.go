package exchange

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/finarc/finarc/news"
)

// maxFile bounds a calendar's file, in bytes: a hundred years take 40 KB.
const maxFile = 1 << 20

// Load returns the calendar that comes with the program, with the years of the
// file at path in place of its own or beside them. Without a path it is as it
// comes.
func Load(path string) (*Calendar, error) {
	c, err := Mainland()
	if err != nil || path == "" {
		return c, err
	}
	text, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the trading days: %w", err)
	}
	return c.With(path, text)
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s: more than 1 MiB: not a calendar", path)
	}
	return text, err
}

// parse reads years and their closed days. An error names its line.
func parse(text []byte) (map[int]closedDays, error) {
	p := parser{years: make(map[int]closedDays)}
	number := 0
	for line := range bytes.Lines(bytes.TrimPrefix(text, []byte("\uFEFF"))) {
		number++
		if err := p.line(string(line)); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if len(p.years) == 0 {
		return nil, errors.New(`it tells no year: want a line such as "year 2027 SOURCE"`)
	}
	return p.years, nil
}

// parser is a calendar in the course of being read.
type parser struct {
	years map[int]closedDays
	year  int // that the lines are of; 0: none yet
}

func (p *parser) line(text string) error {
	fields := strings.Fields(text)
	switch {
	case !utf8.ValidString(text):
		return errors.New("not UTF-8")
	case len(fields) == 0 || strings.HasPrefix(fields[0], "#"):
		return nil
	case fields[0] == "year":
		return p.begin(fields[1:])
	case p.year == 0:
		return fmt.Errorf(`%q stands before the first line such as "year 2027 SOURCE"`, fields[0])
	}
	return p.close(fields)
}

// begin reads a year and what it is known from.
func (p *parser) begin(fields []string) error {
	if len(fields) < 2 {
		return errors.New("want year YYYY SOURCE: a year, and where its days are known from")
	}
	year, err := strconv.Atoi(fields[0])
	if err != nil || !news.Day(year*10000+101).Valid() {
		return fmt.Errorf("%q is not a year from 1990 to 2099", fields[0])
	}
	if _, again := p.years[year]; again {
		return fmt.Errorf("year %d a second time", year)
	}
	p.year = year
	p.years[year] = make(closedDays)
	return nil
}

// close reads the first and the last day of a holiday, and its name.
func (p *parser) close(fields []string) error {
	first, err := p.day(fields[0])
	if err != nil {
		return err
	}
	last, name := first, fields[1:]
	if len(name) > 0 && name[0][0] >= '0' && name[0][0] <= '9' {
		if last, err = p.day(name[0]); err != nil {
			return err
		}
		name = name[1:]
	}
	switch {
	case len(name) == 0:
		return fmt.Errorf("%s: want the holiday's name after its days", first)
	case last < first:
		return fmt.Errorf("%s is before %s", last, first)
	}
	days := p.years[p.year]
	for d := first; d <= last; d = d.Add(1) {
		if other, again := days[d]; again {
			return fmt.Errorf("%s is closed for %s already", d, other)
		}
		days[d] = strings.Join(name, " ")
	}
	return nil
}

// day reads a day of the year that the lines are of.
func (p *parser) day(text string) (news.Day, error) {
	d, err := news.ParseDay(text)
	if err != nil {
		return 0, err
	}
	if int(d)/10000 != p.year {
		return 0, fmt.Errorf("%s is not of %d, the year that the lines are of", d, p.year)
	}
	return d, nil
}
