package config

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestRoundTrip writes configurations at random and reads them back.
func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		c := random(r)
		if c.Validate() != nil {
			continue
		}
		got, err := Parse("written", c.YAML(), nil)
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Fatalf("%v\ngot  %+v\nwant %+v\n%s", err, got, c, c.YAML())
		}
	}
}

func random(r *rand.Rand) Config {
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	odd := func() string {
		return pick("", "a", "true", "null", "~", "0x1F", "- a", "a: b", "a #b", "'", `"`, `\`, "*a", "&a", "!a", "@a", "%a", "{}", "[", "]", "{infoCode}", "a b", "二", "1_000", "2021-12-22", "<<", "=", "a:") + pick("", "", "x", " ", ":")
	}
	c := Config{
		Archive: odd(), Contact: odd(),
		Limits: Limits{
			Rate: r.ExpFloat64(), Burst: 1 + r.IntN(3), Parallel: 1 + r.IntN(9),
			Timeout: time.Duration(1 + r.Int64N(1e12)), MaxBody: 1024 + r.Int64N(1<<uint(1+r.IntN(50))),
			Retries: r.IntN(5), Attempts: 1 + r.IntN(9), PutOff: time.Duration(1 + r.Int64N(1e12)), Lists: r.IntN(500), Robots: r.IntN(2) == 0,
		},
	}
	for range r.IntN(3) {
		c.Schedule = append(c.Schedule, pick("*/5 * * * *", "0,30 9-15 1-31/2 jan-mar MON", "@every 90s", "@hourly", "5 4 * * *"))
	}
	c.Serve = Serve{Addr: pick("127.0.0.1:8080", "[::1]:0", ":80"), Token: pick("", "0123456789abcdef=="), Basic: pick("", "a:# !x'\"\\ :b", "二:********")}
	for range r.IntN(3) {
		c.Serve.Hosts = append(c.Serve.Hosts, pick("a.example", "null", "localhost", "~", "1"))
	}
	for i := range 1 + r.IntN(3) {
		m := Mirror{Name: odd() + string(rune('a'+i)), Site: "http://m.example:80/" + odd(), Share: "http://s.example/" + odd() + InfoCodeMark, Window: time.Duration(1 + r.Int64N(1e15))}
		for range r.IntN(3) {
			m.Categories = append(m.Categories, odd())
		}
		c.Mirrors = append(c.Mirrors, m)
	}
	return c
}

func TestWriteTo(t *testing.T) {
	var b bytes.Buffer
	if n, err := Default().WriteTo(&b); err != nil || int(n) != b.Len() || !bytes.Equal(b.Bytes(), Default().YAML()) {
		t.Errorf("wrote %d of %d bytes, %v", n, b.Len(), err)
	}
}

// TestEveryKeyIsWritten asks that none of the tables' keys is left out.
func TestEveryKeyIsWritten(t *testing.T) {
	lines := strings.Split(string(Template()), "\n")
	written := func(name, doc string) bool {
		for i, line := range lines {
			if strings.HasPrefix(strings.TrimLeft(line, " -"), name+": ") && strings.HasSuffix(lines[i-1], "# "+doc) {
				return true
			}
		}
		return false
	}
	for _, k := range settings() {
		if _, name := section(k.path); !written(name, k.doc) {
			t.Errorf("%s is not written", k.path)
		}
	}
	for _, k := range mirrorSettings() {
		if !written(k.path, k.doc) {
			t.Errorf("mirrors[].%s is not written", k.path)
		}
	}
}

// FuzzParse asks that what is read is valid and reads back from what is
// written, and that what is refused is refused with Problems of one line each.
func FuzzParse(f *testing.F) {
	f.Add(Template(), "FINARC_LIMITS_RATE=1")
	f.Add([]byte(smallest), "FINARC_MIRROR_CATEGORIES=a,b")
	f.Add([]byte(smallest+"schedule: '*/5 9-15 * * mon-fri'\n"), "FINARC_SCHEDULE=@every 5m;;0 24 * * *")
	f.Add([]byte(smallest+"schedule:\n- 0 0 29 2 *\n- '@EVERY 1.5s'\n"), "")
	f.Add([]byte("a: &a [*a]\n? {b: c}\n: d\n"), "FINARC_ARCHIVE=\xff")
	f.Add([]byte("--- !!map\narchive: |\n  a\n...\n---\n"), "")
	f.Add([]byte(smallest+"proxy: socks5://u:p@[::1]:1080\nnotify: {url: 'https://h/x?a=b&c=%23', when: always}\nlimits: {attempts: 1}\n"), "FINARC_NOTIFY_WHEN=never")
	f.Add([]byte("mirrors: [{name: a, site: 'http://[::1]/', private: true}]\nnotify: {url: ''}\nproxy: '#'\n"), "FINARC_PROXY=http://h")
	f.Fuzz(func(t *testing.T, data []byte, variable string) {
		c, err := Parse("crawler.yaml", data, []string{variable})
		if err != nil {
			for _, p := range err.(Problems) {
				if strings.Contains(p.Error(), "\n") {
					t.Errorf("a problem of several lines: %q", p.Error())
				}
			}
			return
		}
		if err := c.Validate(); err != nil {
			t.Errorf("what was read is not valid: %v", err)
		}
		again, err := Parse("written", c.YAML(), nil)
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("%v\ngot  %+v\nwant %+v\n%s", err, again, c, c.YAML())
		}
	})
}
