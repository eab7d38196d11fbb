package archive

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/finarc/finarc/durable"
	bolt "go.etcd.io/bbolt"
)

// create makes a new, empty archive at path.
func create(path string) error {
	return build(path, ".finarc-new-", func(string) error { return nil })
}

// build makes a new archive at path, whole or not at all: it is made beside,
// under a temporary name, filled by fill, and then named, which fails with
// [ErrExists] if there is a file by then.
func build(path, prefix string, fill func(temporary string) error) (err error) {
	dir := filepath.Dir(path)
	d, err := durable.NewFile(dir, prefix, fileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Discard()) }()
	if err := errors.Join(d.File.Chmod(fileMode), d.File.Close()); err != nil {
		return err
	}
	if err := format(d.Path); err != nil {
		return err
	}
	if err := fill(d.Path); err != nil {
		return err
	}
	if err := name(d.Path, path, false); err != nil {
		return err
	}
	return syncDir(dir)
}

// format makes the empty file at path an archive.
func format(path string) (err error) {
	db, err := bolt.Open(path, fileMode, options(false))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.AllocSize = allocSize
	return db.Update(func(btx *bolt.Tx) error {
		for _, name := range buckets() {
			if _, err := btx.CreateBucket(name); err != nil {
				return fmt.Errorf("create bucket %s: %w", name, err)
			}
		}
		identity := make([]byte, identitySize)
		if _, err := rand.Read(identity); err != nil {
			return fmt.Errorf("make an identity: %w", err)
		}
		t := newTx(nil, btx)
		return errors.Join(t.put(bucketMeta, keyIdentity, identity), btx.Bucket(bucketMeta).Put(keyVersion, appendUint40(nil, Version)))
	})
}

// name gives a file its name. Unless it is to replace the file that has the
// name it fails with ErrExists if there is one by now. Where the file system
// knows no links, one that comes at the same instant is replaced.
func name(from, to string, replace bool) error {
	if replace {
		return os.Rename(from, to)
	}
	err := os.Link(from, to)
	if err == nil {
		return nil
	}
	if _, there := os.Lstat(to); !errors.Is(there, fs.ErrNotExist) {
		return ErrExists
	}
	return os.Rename(from, to)
}

// syncDir makes a new name in a folder durable. Not every system lets a folder
// be synced; where it does not, the name is as durable as the system makes it.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}
