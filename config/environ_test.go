package config

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestEnvironment(t *testing.T) {
	got, err := Parse("crawler.yaml", []byte(smallest), []string{
		"FINARC_ARCHIVE=a.db", "FINARC_CONTACT=ops@example.org",
		"FINARC_LIMITS_RATE=0", "FINARC_LIMITS_BURST=0", "FINARC_LIMITS_PARALLEL=9", "FINARC_LIMITS_TIMEOUT=5s",
		"FINARC_LIMITS_MAX_BODY=1MiB", "FINARC_LIMITS_RETRIES=0", "FINARC_LIMITS_ROBOTS=false",
		"FINARC_MIRROR_SITE=http://other.example/", "FINARC_MIRROR_CATEGORIES=21caijing, Career  In touxingPEVC",
		"FINARC_MIRROR_SHARE=", "FINARC_MIRROR_WINDOW=24h", "FINARC_LIMITS_LISTS=0", "FINARC_SOMETHING_ELSE=1", "FINARC_SCHEDULE=0,30 9-15 * * mon-fri; @every 1h", "HOME=/root",
		"FINARC_SERVE_TOKEN=0123456789abcdef", "FINARC_SERVE_BASIC=a:b c d e f g", "FINARC_SERVE_HOSTS=a.example,b.example",
	})
	want := Config{
		Archive: "a.db", Contact: "ops@example.org", Schedule: []string{"0,30 9-15 * * mon-fri", "@every 1h"},
		Mirrors: []Mirror{{Name: "m", Site: "http://other.example/", Categories: []string{"21caijing", "Career  In touxingPEVC"}, Window: 24 * time.Hour}},
		Limits:  Limits{Parallel: 9, Timeout: 5e9, MaxBody: 1 << 20, Attempts: 8, PutOff: 3e11},
		Notify:  Notify{When: NotifyFailure},
		Serve:   Serve{Addr: "127.0.0.1:8080", Token: "0123456789abcdef", Basic: "a:b c d e f g", Hosts: []string{"a.example", "b.example"}},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestEnvironmentMakesMirror(t *testing.T) {
	c, err := Load("", []string{"FINARC_MIRROR_SITE=https://m.example:8443/", "FINARC_MIRROR_TEXT=https://m.example/{infoCode}"})
	want := []Mirror{{Name: "m.example", Site: "https://m.example:8443/", Text: "https://m.example/{infoCode}", Window: DefaultWindow}}
	if err != nil || !reflect.DeepEqual(c.Mirrors, want) {
		t.Errorf("got %+v, %v", c.Mirrors, err)
	}
}

func TestEnvironmentOverridesFault(t *testing.T) {
	file := smallest + "limits:\n  burst: 0\n"
	if _, err := Parse("crawler.yaml", []byte(file), []string{"FINARC_LIMITS_RATE=0"}); err != nil {
		t.Errorf("the environment makes the file whole: %v", err)
	}
}

func TestEnvironmentRefusals(t *testing.T) {
	two := smallest + "  - name: n\n    site: http://n.example/\n"
	for name, test := range map[string]struct{ file, variable, want string }{
		"value":        {smallest, "FINARC_LIMITS_RATE=fast", `FINARC_LIMITS_RATE: want a number of requests a second: 0, or from 0.001 (one in 17 minutes) to 100000, not "fast"`},
		"combination":  {smallest, "FINARC_LIMITS_BURST=0", `FINARC_LIMITS_BURST: want 1 or more while limits.rate is above 0, not 0`},
		"misspelled":   {smallest, "FINARC_ARCHIV=a", `FINARC_ARCHIV: unknown variable: did you mean FINARC_ARCHIVE?`},
		"unknown":      {smallest, "FINARC_LIMITS_PATIENCE=a", `FINARC_LIMITS_PATIENCE: unknown variable`},
		"which mirror": {two, "FINARC_MIRROR_SITE=http://a.example/", `FINARC_MIRROR_SITE: which of the 2 mirrors? It can only override a single one`},
		"bad site":     {smallest, "FINARC_MIRROR_SITE=a", `FINARC_MIRROR_SITE: want an absolute http or https address without query, not "a"`},
		"siteless":     {"", "FINARC_MIRROR_NAME=a", `mirrors[0].site: want an absolute http or https address without query, not ""`},
		"schedule":     {smallest, "FINARC_SCHEDULE=@hourly; 60 * * * *", `FINARC_SCHEDULE: want cron expressions, or nothing: "60 * * * *": end of range (60) above maximum (59): "60"`},
		"bad list":     {smallest, "FINARC_MIRROR_CATEGORIES=a,,b", `FINARC_MIRROR_CATEGORIES: want a list of different category names, without commas or slashes, not "a,,b"`},
	} {
		t.Run(name, func(t *testing.T) {
			read := func() (Config, error) { return Parse("crawler.yaml", []byte(test.file), []string{test.variable}) }
			if test.file == "" {
				read = func() (Config, error) { return Load("", []string{test.variable}) }
			}
			if _, err := read(); err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestEveryKeyHasItsVariable(t *testing.T) {
	var names []string
	for _, k := range settings() {
		names = append(names, variable(k.path))
	}
	for _, k := range mirrorSettings() {
		names = append(names, variable("mirror."+k.path))
	}
	if slices.Sort(names); len(slices.Compact(names)) != len(settings())+len(mirrorSettings()) {
		t.Errorf("two keys share a variable: %q", names)
	}
}
