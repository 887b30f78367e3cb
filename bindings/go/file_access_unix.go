//go:build unix

package donjon

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// errLinked is of a file whose other names would stay under the old key.
var errLinked = errors.New("the file has several hard links")

// keepAccess gives out the owner and the mode of in, so that whoever could read the
// one can read the other. It fails where that cannot be.
func keepAccess(in, out *os.File) error {
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		if stat.Nlink > 1 {
			return &fs.PathError{Op: "replace", Path: in.Name(), Err: errLinked}
		}
		if err := out.Chown(int(stat.Uid), int(stat.Gid)); err != nil {
			return err
		}
	}
	return out.Chmod(info.Mode())
}
