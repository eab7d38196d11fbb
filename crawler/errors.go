package crawler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// ErrUnreachable: a mirror could not be read at all, so nothing new was
// learned of it.
var ErrUnreachable = errors.New("mirror could not be read")

// reason is why a request or a post failed, as the run's report counts it.
type reason string

// The reasons. Those of answers with another status are "status N".
const (
	reasonTimeout    reason = "timeout"
	reasonConnection reason = "connection"       // refused, reset, no such host, TLS
	reasonCut        reason = "cut body"         // shorter than announced
	reasonTooLarge   reason = "body over limit"  // limits.max_body
	reasonRedirect   reason = "redirect refused" // away from the mirror's hosts, or too many
	reasonRobots     reason = "robots.txt"
	reasonTooMany    reason = "too many links"
	reasonGone       reason = news.FailedGone
	reasonUnreadable reason = page.WhyUnreadable // and the other words of package page
	reasonBlocked    reason = page.WhyBlocked
	reasonLogin      reason = page.WhyLogin
	reasonIncomplete reason = "incomplete" // archived, but something is lacking
	reasonDiffers    reason = "mirrors disagree"
	reasonStopped    reason = "stopped"         // the run ended before it was asked for
	reasonPaused     reason = "host paused"     // it wants to be left alone for longer than a run waits
	reasonDown       reason = "host down"       // it failed so often in a row that the run gave it up
	reasonAddress    reason = "address refused" // its name leads to an address that is not the open web's
	reasonNoRules    reason = "no robots.txt"   // whether it may be asked for could not be had
)

func statusReason(status int) reason { return reason("status " + strconv.Itoa(status)) }

// failure is an error with what the crawl does about it.
type failure struct {
	reason reason
	url    string
	err    error
	again  bool // it may pass: worth another run
	soon   bool // it may pass soon: worth a retry in this one
}

func (f *failure) Error() string {
	if f.err == nil {
		return fmt.Sprintf("GET %s: %s", f.url, f.reason)
	}
	return fmt.Sprintf("GET %s: %s: %v", f.url, f.reason, f.err)
}

// withoutURL returns the failure as an error that does not tell the address.
func (f *failure) withoutURL() error {
	if f.err == nil {
		return errors.New(string(f.reason))
	}
	return fmt.Errorf("%s: %w", f.reason, f.err)
}

// left reports whether nobody was asked: what is wanted is left for later, as if
// it had never been taken up.
func (f *failure) left() bool {
	switch f.reason {
	case reasonStopped, reasonPaused, reasonDown, reasonNoRules:
		return true
	}
	return false
}

// rested reports whether the host is not to be asked for now.
func (f *failure) rested() bool { return f.reason == reasonPaused || f.reason == reasonDown }

// answered reports whether the failure is what a working server says.
func (f *failure) answered() bool {
	return f.reason == reasonGone || f.reason == reasonUnreadable || f.reason == reasonRobots
}

func (f *failure) Unwrap() error { return f.err }

// Errors that the transport gives for what it refuses.
var (
	errTooLarge = errors.New("body is larger than limits.max_body")
	errRedirect = errors.New("redirect leads away from the mirror's hosts")
	errLoop     = errors.New("too many redirects")
	errRobots   = errors.New("disallowed by robots.txt")
	errStopped  = errors.New("the run is ending")
	errDuration = errors.New("the run has taken as long as it may")
	errRequests = errors.New("the run has sent as many requests as it may")
	errPaused   = errors.New("the host wants to be left alone")
	errDown     = errors.New("the host does not answer, and was given up for this run")
	errTimeout  = fmt.Errorf("limits.timeout is over: %w", context.DeadlineExceeded)
	errProtocol = errors.New("not an answer of HTTP")
	errAddress  = errors.New("not an address of the open web (mirrors: private: true allows it)")
)

// classes tells, for the errors that a request can end with, their reason and
// whether another attempt may help. The first that matches counts.
var classes = []struct {
	is     func(error) bool
	reason reason
	again  bool
}{
	{isErr(errStopped), reasonStopped, false},
	{isErr(errPaused), reasonPaused, false},
	{isErr(errDown), reasonDown, false},
	{isErr(errAddress), reasonAddress, false},
	{isErr(errTooLarge), reasonTooLarge, false},
	{isErr(errRedirect), reasonRedirect, false},
	{isErr(errLoop), reasonRedirect, false},
	{isBadLocation, reasonRedirect, false},
	{isErr(errRobots), reasonRobots, false},
	{isUnknownRules, reasonRedirect, false},
	{isErr(errDecode), reasonCut, true},
	{isErr(io.ErrUnexpectedEOF), reasonCut, true},
	{isErr(context.DeadlineExceeded), reasonTimeout, true},
	{isTimeout, reasonTimeout, true},
	{isErr(syscall.ECONNREFUSED), reasonConnection, true},
	{func(error) bool { return true }, reasonConnection, true},
}

// reasonOf returns why a page could not be read as what was asked for: one
// without text just does not have it.
func reasonOf(err error) reason {
	why := page.Why(err)
	if why == page.WhyNoText {
		return reasonGone
	}
	return reason(why)
}

func isErr(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// isBadLocation reports whether a redirect leads to what is no address. net/http
// says so in words alone.
func isBadLocation(err error) bool {
	return strings.Contains(err.Error(), "failed to parse Location header")
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// failed classifies the error of a request.
func failed(url string, err error) *failure {
	for _, c := range classes {
		if c.is(err) {
			return &failure{reason: c.reason, url: url, err: err, again: c.again, soon: c.again}
		}
	}
	return nil // not reached: the last class matches everything
}

// failedStatus classifies an answer that is no page.
func failedStatus(url string, status int) *failure {
	f := &failure{url: url, reason: statusReason(status)}
	switch {
	case status == http.StatusNotFound, status == http.StatusGone:
		f.reason, f.err = reasonGone, fmt.Errorf("the server answers %d", status)
	case overloaded(status), status >= 500:
		f.again, f.soon = true, true
	case turnsAway(status):
		f.again = true
	}
	return f
}

// overloaded reports whether a host says that it is asked too much, or that it is
// too slow.
func overloaded(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusRequestTimeout:
		return true
	}
	return false
}

// turnsAway reports whether a host turns the crawler away: for now, as long as
// nothing else is known.
func turnsAway(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusUnavailableForLegalReasons:
		return true
	}
	return false
}
