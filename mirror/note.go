package mirror

import (
	"net/url"
	"strconv"
	"strings"
)

// Titles of the site's own notes, the only posts without infoCode.
var noteTitles = [...]string{"开站大吉", "本站公告", "维护通知", "新年快乐", "关于本站"}

func noteTitle(e *entry) string { return noteTitles[e.serial%int64(len(noteTitles))] }

// noteSlug is the last part of a note's address, as links write it.
func noteSlug(e *entry) string {
	return url.PathEscape(noteTitle(e)) + "-" + strconv.FormatInt(e.serial, 10)
}

// noteSerial reads the serial back from the last part of an address.
func noteSerial(name string) (int64, bool) {
	i := strings.LastIndexByte(name, '-')
	serial, err := strconv.ParseInt(name[i+1:], 10, 64)
	return serial, i >= 0 && err == nil
}
