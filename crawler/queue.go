package crawler

import (
	"net/url"
	"slices"

	"github.com/finarc/finarc/news"
	"github.com/finarc/finarc/page"
)

// queue holds what is to be asked for, by host: a host that is slow, or wants to
// be left alone, keeps no other's pages waiting. A post that its page's host does
// not have goes on in the lane of the next source's.
type queue struct {
	lanes    []*lane
	parallel int // tasks in flight to one host
	last     int // the lane that had its turn last
}

// lane is one host's part of the queue.
type lane struct {
	host   string
	lists  []task
	posts  []task
	busy   int  // tasks in flight
	listed bool // the last task was a list page
	alone  bool // one task at a time, so that the first is asked for first
	gates  int  // of its lists, those that all posts wait for, see run.gates
}

// has reports whether an order is for the lane's host.
func (l *lane) has(o *order) bool { return o.at() == l.host }

// at returns the host that has what is ordered.
func (o *order) at() string {
	if o.host == "" {
		o.host = hostOf(o.url)
	}
	return o.host
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return page.HostOf(u)
}

// lane returns the one of a host.
func (q *queue) lane(host string) *lane {
	for _, l := range q.lanes {
		if l.host == host {
			return l
		}
	}
	l := &lane{host: host}
	q.lanes = append(q.lanes, l)
	return l
}

func (q *queue) addList(p news.ListPage) {
	l := q.lane(hostOf(p.URL))
	l.lists = append(l.lists, task{lane: l, list: &p})
}

// addPost queues a post at the host that it is asked of first.
func (q *queue) addPost(t task) {
	first := ""
	if len(t.sources) > 0 {
		first = t.sources[0].at()
	}
	t.lane = q.lane(first)
	t.lane.posts = append(t.lane.posts, t)
}

// refreshes takes the held posts off the queue, and returns their identities.
func (q *queue) refreshes() (ids []news.ID) {
	for _, l := range q.lanes {
		l.posts = slices.DeleteFunc(l.posts, func(t task) bool {
			if t.refresh {
				ids = append(ids, t.post.ID)
			}
			return t.refresh
		})
	}
	return ids
}

// next returns the task that is next, of a lane that has room, beginning with
// the one after the last: a list and a post in turn, so that neither a mirror of
// ever more lists keeps its posts waiting nor the other way round. A lane that has
// one task at a time waits while posts may be on their way into the queue, so that
// no list takes the turn of one, but for a list that these wait for.
func (q *queue) next(lists, coming bool) (task, bool) {
	for i := range q.lanes {
		l := q.lanes[(q.last+1+i)%len(q.lanes)]
		switch {
		case l.busy >= q.parallel, l.alone && (l.busy > 0 || coming && l.gates == 0):
		case lists && len(l.lists) > 0 && (!l.listed || len(l.posts) == 0):
			return l.lists[0], true
		case len(l.posts) > 0:
			return l.posts[0], true
		}
	}
	return task{}, false
}

// taken takes the task that was handed out off its lane.
func (q *queue) taken(t task) {
	l := t.lane
	l.busy++
	l.listed = t.list != nil
	if l.listed {
		l.lists = l.lists[1:]
	} else {
		l.posts = l.posts[1:]
	}
	q.last = slices.Index(q.lanes, l)
}

// done takes note that a task came to its end.
func (q *queue) done(t task) { t.lane.busy-- }

// drop takes the posts off the heads of the lanes that need not be asked for any
// more.
func (q *queue) drop(done func(news.ID) bool) {
	for _, l := range q.lanes {
		for len(l.posts) > 0 && done(l.posts[0].post.ID) {
			l.posts = l.posts[1:]
		}
	}
}

// lists returns how many list pages wait.
func (q *queue) lists() (n int) {
	for _, l := range q.lanes {
		n += len(l.lists)
	}
	return n
}

// posts returns how many posts wait.
func (q *queue) posts() (n int) {
	for _, l := range q.lanes {
		n += len(l.posts)
	}
	return n
}
