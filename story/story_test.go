package story_test

import (
	"fmt"
	"testing"

	"github.com/finarc/finarc/internal/storytest"
	"github.com/finarc/finarc/story"
)

func TestQuality(t *testing.T) {
	for _, seed := range []uint64{1, 2, 3} {
		posts := storytest.Set(t, seed, 1000)
		var texts []*story.Text
		for i := range posts {
			texts = append(texts, story.New(posts[i].Text, secs(posts[i].Security)...))
		}
		tp, fp, fn, missed := 0, 0, 0, 0
		shown := 0
		for i := range posts {
			a := texts[i].Signature()
			for j := range i {
				if posts[i].Story != posts[j].Story && posts[i].Published.Sub(posts[j].Published) < 0 {
					t.Fatal("order")
				}
				b := texts[j].Signature()
				_ = a
				same := posts[i].Story == posts[j].Story
				near := story.Near(&a, &b)
				if !near {
					if same {
						fn++
						missed++
					}
					continue
				}
				l := story.Compare(texts[i], texts[j])
				switch {
				case l.Same() && same:
					tp++
				case l.Same():
					fp++
				case same:
					fn++
				}
				if l.Same() != same && shown < 0 {
					shown++
					fmt.Println("WRONG", same, posts[i].Made, "|", posts[j].Made, fmt.Sprintf("%+v", l))
					if len(posts[i].Text) < 700 {
						fmt.Println(posts[i].Text, "\n**\n", posts[j].Text)
					}
				}
			}
			if i > 1000 {
				break
			}
		}
		fmt.Println(seed, len(posts), tp, fp, fn, missed)
	}
}

func secs(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
