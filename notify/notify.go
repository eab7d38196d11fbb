// Package notify tells a webhook of a run: a POST of its report as JSON, to the
// address that notify.url of the configuration names.
package notify

import (
	"fmt"
	"strings"
	"time"

	"github.com/finarc/finarc/config"
	"github.com/finarc/finarc/news"
)

// Message is what a hook is told.
type Message struct {
	Event    Event  `json:"event"`
	Archive  string `json:"archive,omitempty"` // its file, as the configuration names it
	ExitCode int    `json:"exit_code"`         // with which the program ends
	Summary  string `json:"summary"`           // one line for people
	// Run is the report; nil where the run could not begin.
	Run *news.Run `json:"run"`
	// Cut says that the report was too long to be sent whole, and how much of it
	// is left: see [Message.encode].
	Cut string `json:"cut,omitempty"`
}

// Event is why a hook is told.
type Event string

// The events.
const (
	EventFailure Event = "failure" // the exit code is not 0
	EventSuccess Event = "success"
)

// New returns the message of a run that ended the program with the exit code.
// The report is nil where the run could not begin; err, which may be nil, is why
// the program ends so.
func New(archive string, r *news.Run, exitCode int, err error) *Message {
	m := &Message{Event: EventSuccess, Archive: archive, ExitCode: exitCode, Summary: summary(r, err)}
	if exitCode != 0 {
		m.Event = EventFailure
	}
	if r != nil {
		m.Run = r.Clone()
	}
	return m
}

// Wanted reports whether a hook that is to be told when c says is told of m.
func Wanted(c config.Notify, m *Message) bool {
	return c.URL != "" && (c.When == config.NotifyAlways || m.Event == EventFailure)
}

// summary tells of a run in one line.
func summary(r *news.Run, err error) string {
	var parts []string
	if r != nil {
		parts = append(parts, told(r))
	}
	if err != nil {
		parts = append(parts, oneLine(err.Error()))
	}
	return strings.Join(parts, "; ")
}

func told(r *news.Run) string {
	s := fmt.Sprintf("run %d of %s: ", r.ID, strings.Join(r.Mirrors, ", "))
	if r.Ended.IsZero() {
		s += "not ended"
	} else {
		s += fmt.Sprintf("%s after %v", r.Ending, r.Ended.Sub(r.Started).Round(time.Second))
	}
	return s + fmt.Sprintf(", %d posts met = %d new + %d revised + %d unchanged + %d skipped + %d failed + %d pending",
		r.Discovered, r.New, r.Revised, r.Unchanged, r.SkippedPosts(), r.FailedPosts(), r.Pending)
}

// maxSummary bounds a summary's error, in bytes.
const maxSummary = 1000

// oneLine makes one line of a text, which is not too long.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "�")), " ")
	if len(s) > maxSummary {
		s = strings.ToValidUTF8(s[:maxSummary], "") + "…"
	}
	return s
}
