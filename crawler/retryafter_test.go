package crawler

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2021, 12, 22, 2, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "1": time.Second, "120": 2 * time.Minute, "86400": 24 * time.Hour,
		"86401": maxRetryAfter, "999999999999999999999999": maxRetryAfter,
		"-1": 0, "+5": 0, "1.5": 0, "5 s": 0, "soon": 0, " 7": 0,
		"Wed, 22 Dec 2021 02:00:30 GMT":     30 * time.Second,
		"Wed, 22 Dec 2021 01:00:00 GMT":     0,
		"Thu, 22 Dec 2022 02:00:00 GMT":     maxRetryAfter,
		"Wednesday, 22-Dec-21 02:00:10 GMT": 10 * time.Second,
		"Wed Dec 22 02:00:20 2021":          20 * time.Second,
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

// FuzzRetryAfter: whatever a server says, the pause is bounded; a number of
// seconds is heeded to the second, and so is a date.
func FuzzRetryAfter(f *testing.F) {
	for _, v := range []string{"", "0", "120", "-1", "Wed, 22 Dec 2021 02:00:30 GMT", "99999999999999999999"} {
		f.Add(v, int64(1_640_138_400))
	}
	f.Fuzz(func(t *testing.T, value string, second int64) {
		now := time.Unix(second%(1<<35), 0)
		got := retryAfter(http.Header{"Retry-After": {value}}, now)
		if got < 0 || got > maxRetryAfter {
			t.Fatalf("%q: %v", value, got)
		}
		if n, err := strconv.ParseUint(value, 10, 16); err == nil && n <= 86400 && got != time.Duration(n)*time.Second {
			t.Errorf("%q: %v", value, got)
		}
		if at, err := http.ParseTime(value); err == nil && at.Sub(now) > 0 && at.Sub(now) <= maxRetryAfter && got != at.Sub(now) {
			t.Errorf("%q at %v: %v", value, now, got)
		}
	})
}
