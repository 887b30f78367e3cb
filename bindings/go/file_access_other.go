//go:build !unix

package donjon

import "os"

// keepAccess gives out the mode of in.
func keepAccess(in, out *os.File) error {
	info, err := in.Stat()
	if err != nil {
		return err
	}
	return out.Chmod(info.Mode())
}
