package config

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the files that the tests compare with")

// smallest is the least that a file must say.
const smallest = "mirrors:\n  - name: m\n    site: http://m.example/\n"

func TestDefault(t *testing.T) {
	want := Config{
		Archive: "finarc.db",
		Limits: Limits{
			Rate: 2, Burst: 2, Parallel: 4, Timeout: 30 * time.Second,
			MaxBody: 8 << 20, Retries: 4, Attempts: 8, PutOff: 5 * time.Minute, Robots: true, Lists: 150,
		},
		Notify: Notify{When: NotifyFailure},
		Serve:  Serve{Addr: "127.0.0.1:8080"},
	}
	if got := Default(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := Default().Validate(); !errors.Is(err, ErrNoMirror) || len(err.(Problems)) != 1 {
		t.Errorf("the defaults lack more than a mirror: %v", err)
	}
}

func TestFallbacksAreReadable(t *testing.T) {
	var c Config
	for _, k := range settings() {
		if !k.set(&c, k.fallback) {
			t.Errorf("%s: %q is not %s", k.path, k.fallback, k.want)
		}
	}
}

func TestParse(t *testing.T) {
	const file = `
archive: /var/lib/finarc/news.db
contact: ops@example.org
mirrors:
  - name: one
    site: https://one.example/
    share: http://share.example/s?infoCode={infoCode}
    text: http://share.example/{infoCode}.json
    categories: [21caijing, "Career  In touxingPEVC"]
    window: 30m
  - name: 二
    site: http://two.example:8080/finance
    private: true
proxy: socks5://127.0.0.1:1080
calendar: closed.txt
schedule: ["*/5 9-15 * * mon-fri", "@hourly"]
notify:
  url: https://hooks.example/finarc?key=1
  when: always
serve:
  addr: "[::1]:8000"
  token: 0123456789abcdef
  basic: "who:knows it:all"
  hosts: news.example
limits:
  rate: 0.5
  burst: 1
  parallel: 1
  timeout: 1m30s
  max_body: 500 KiB
  retries: 0
  attempts: 3
  put_off: 1h
  lists: 40
  robots: false
`
	want := Config{
		Archive: "/var/lib/finarc/news.db",
		Contact: "ops@example.org",
		Mirrors: []Mirror{
			{
				Name: "one", Site: "https://one.example/",
				Share:      "http://share.example/s?infoCode={infoCode}",
				Text:       "http://share.example/{infoCode}.json",
				Categories: []string{"21caijing", "Career  In touxingPEVC"}, Window: 30 * time.Minute,
			},
			{Name: "二", Site: "http://two.example:8080/finance", Window: DefaultWindow, Private: true},
		},
		Proxy:    "socks5://127.0.0.1:1080",
		Calendar: "closed.txt",
		Schedule: []string{"*/5 9-15 * * mon-fri", "@hourly"},
		Limits:   Limits{Rate: 0.5, Burst: 1, Parallel: 1, Timeout: 90 * time.Second, MaxBody: 500 << 10, Attempts: 3, PutOff: time.Hour, Lists: 40},
		Notify:   Notify{URL: "https://hooks.example/finarc?key=1", When: NotifyAlways},
		Serve:    Serve{Addr: "[::1]:8000", Token: "0123456789abcdef", Basic: "who:knows it:all", Hosts: []string{"news.example"}},
	}
	got, err := Parse("crawler.yaml", []byte(file), nil)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"1KiB": 1 << 10, "8MiB": 8 << 20, "2GiB": 2 << 30, "1TiB": 1 << 40,
		"500kB": 500e3, "500KB": 500e3, "3MB": 3e6, "1GB": 1e9, "1TB": 1e12,
		"4096": 4096, "4096B": 4096, "8 MiB": 8 << 20, "9223372036854775807": 1<<63 - 1,
	} {
		if got, ok := ParseSize(text); !ok || got != want {
			t.Errorf("%s: got %d, %v, want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "MiB", "1023", "-8MiB", "8.5MiB", "8mib", "8M", "9223372036854775808", "8388608TiB", "99999999999999TiB", "65MiB", "1GiB"} {
		if got, ok := size().parse(text); ok {
			t.Errorf("%s: want it refused, got %d", text, got)
		}
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "crawler.yaml")
	if err := os.WriteFile(path, Template(), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path, []string{"FINARC_LIMITS_RATE=7"})
	if err != nil || c.Limits.Rate != 7 || c.Mirrors[0].Name != "finews" {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestLoadWithoutFile(t *testing.T) {
	c, err := Load("", []string{"FINARC_ARCHIVE=other.db", "PATH=/bin"})
	if err != nil || c.Archive != "other.db" || len(c.Mirrors) != 0 {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "none.yaml"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: got %v", err)
	}
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, bytes.Repeat([]byte("#\n"), maxFile), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(large, nil); err == nil || !strings.Contains(err.Error(), "large.yaml: more than 1MiB") {
		t.Errorf("a file that is too large: got %v", err)
	}
}

// TestTemplate holds the crawler.yaml beside the program to the template.
func TestTemplate(t *testing.T) {
	const beside = "../crawler.yaml"
	if *update {
		if err := os.WriteFile(beside, Template(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(beside)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, Template()) {
		t.Errorf("%s is not what finarc config init writes: run go test ./config -update", beside)
	}
	if _, err := Parse("crawler.yaml", data, nil); err != nil {
		t.Error(err)
	}
}
