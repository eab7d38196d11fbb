//go:build unix && !solaris && !aix

package archive

import (
	"os"

	sys "golang.org/x/sys/unix"
)

// noFollow lets opening fail where the name is a link to elsewhere.
const noFollow = sys.O_NOFOLLOW

// giveToOwner gives what root made to the owner of another file, so that a
// crawl by root does not shut out those of the user whose archive it is.
func giveToOwner(of string, chown func(uid, gid int) error) error {
	if os.Geteuid() != 0 {
		return nil
	}
	var st sys.Stat_t
	if err := sys.Stat(of, &st); err != nil {
		return err
	}
	return chown(int(st.Uid), int(st.Gid))
}
