package warc

import (
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

// targetURI returns an address as it stands in WARC-Target-URI (5.14): without
// fragment, which is not asked for, and with what no URI may hold escaped (RFC
// 3986, 2). What is escaped already, well or not, stays.
func targetURI(address string) string {
	address, _, _ = strings.Cut(address, "#")
	var b strings.Builder
	for i := range len(address) {
		if c := address[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 {
			b.WriteString(escaped(c))
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func escaped(c byte) string {
	const digits = "0123456789ABCDEF"
	return string([]byte{'%', digits[c>>4], digits[c&15]})
}

// surt returns the key of a target URI in a CDXJ, as warcio makes it: in lower case,
// with the host's labels in reverse, without www, the default port, user and
// password, and with the query's parts in order. Addresses of other schemes than
// HTTP's are their own key.
func surt(uri string) string {
	scheme, rest, found := strings.Cut(uri, "://")
	if !found || scheme != "http" && scheme != "https" {
		return uri
	}
	rest = strings.ToLower(withoutWWW(rest))
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	route, query, _ := strings.Cut(rest[end:], "?")
	key := reversedHost(rest[:end], scheme) + ")" + withoutDots(route)
	if query != "" {
		parts := strings.Split(strings.ReplaceAll(query, "'", "%27"), "&")
		slices.Sort(parts)
		key += "?" + strings.Join(parts, "&")
	}
	return key
}

// withoutWWW takes www. from an address without scheme, also www2. and the like.
func withoutWWW(rest string) string {
	if after, www := strings.CutPrefix(rest, "www"); www {
		if after, dot := strings.CutPrefix(strings.TrimLeft(after, "0123456789"), "."); dot {
			return after
		}
	}
	return rest
}

// reversedHost returns the host and port of an authority, the host's labels in
// reverse.
func reversedHost(authority, scheme string) string {
	host := authority[strings.LastIndexByte(authority, '@')+1:]
	port := ""
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host, port = host[:colon], host[colon:]
	}
	if port == ":" || scheme == "http" && port == ":80" || scheme == "https" && port == ":443" {
		port = ""
	}
	labels := strings.Split(inASCII(host), ".")
	slices.Reverse(labels)
	return strings.Join(labels, ",") + port
}

// inASCII returns a host's name as it is looked up (RFC 5890), or as it is where it
// is no name that could be.
func inASCII(host string) string {
	plain, err := url.PathUnescape(host)
	if err != nil {
		return host
	}
	ascii, err := idna.Lookup.ToASCII(plain)
	if err != nil {
		return host
	}
	return ascii
}

// withoutDots returns a path without its dot segments (RFC 3986, 5.2.4).
func withoutDots(route string) string {
	var kept []string
	segments := strings.Split(strings.TrimPrefix(route, "/"), "/")
	for i, segment := range segments {
		plain := strings.ReplaceAll(segment, "%2e", ".")
		switch {
		case plain != "." && plain != "..":
			kept = append(kept, segment)
			continue
		case plain == ".." && len(kept) > 0:
			kept = kept[:len(kept)-1]
		}
		if i == len(segments)-1 {
			kept = append(kept, "")
		}
	}
	return "/" + strings.Join(kept, "/")
}
