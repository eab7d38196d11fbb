package archive

import "github.com/finarc/finarc/news"

// Reader reads a capture as a post again, as today's program does.
type Reader func(*news.Capture) (*news.Post, error)
