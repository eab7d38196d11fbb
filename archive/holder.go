package archive

import (
	"fmt"
	"strings"
	"time"

	"github.com/finarc/finarc/news"
)

// Holder is a process that holds an archive, or something in it.
type Holder struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"` // how people call it: finarc crawl finews
	Since   time.Time `json:"since"`   // when it began
}

// String tells who it is, in one line, with the time in Shanghai. The zero
// Holder is one that cannot be told.
func (h Holder) String() string {
	if h.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("pid %d (%s) since %s", h.PID, oneLine(h.Command), h.Since.In(news.Shanghai).Format(time.DateTime))
}

// longestCommand is how many characters of a command line are told.
const longestCommand = 120

// oneLine makes a command line fit into a message.
func oneLine(command string) string {
	line := []rune(strings.Join(strings.Fields(command), " "))
	if len(line) > longestCommand {
		return string(line[:longestCommand-1]) + "…"
	}
	return string(line)
}

// heldBy tells who holds a file, of which there may be several where all of
// them read. It is "" where that cannot be told.
func heldBy(holders []Holder) string {
	switch more := len(holders) - 1; {
	case more < 0:
		return ""
	case more == 0:
		return holders[0].String()
	case more == 1:
		return holders[0].String() + " and 1 more process"
	default:
		return fmt.Sprintf("%s and %d more processes", holders[0], more)
	}
}
