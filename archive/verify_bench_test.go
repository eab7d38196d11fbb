package archive_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/news"
)

// What a check costs, of as many posts as FINARC_POSTS says.
func BenchmarkVerify(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("FINARC_POSTS"))
	if err != nil {
		n = 5000
	}
	a := open(b)
	for at := 0; at < n; at += 1000 {
		var batch news.Batch
		for i := at; i < min(n, at+1000); i++ {
			batch.Posts = append(batch.Posts, post(i))
		}
		commit(b, a, batch)
	}
	b.Run("pages", func(b *testing.B) {
		for b.Loop() {
			data, err := os.Open(a.Path())
			if err != nil {
				b.Fatal(err)
			}
			info, err := data.Stat()
			if err != nil {
				b.Fatal(err)
			}
			archive.CheckFile(data, info.Size())
			if err := data.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			r, err := a.Verify(b.Context(), nil)
			if err != nil || !r.Clean() {
				b.Fatalf("%v: %+v", err, r)
			}
		}
	})
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			if _, err := archive.Open(b.Context(), a.Path()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("look", func(b *testing.B) {
		for b.Loop() {
			if _, err := a.Stats(b.Context(), time.Time{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
