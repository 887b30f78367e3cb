//go:build !donjon_pkgconfig && !donjon_shim

package abi

/*
#cgo CFLAGS: -I${SRCDIR}/../../../../target/donjon/include
#cgo LDFLAGS: ${SRCDIR}/../../../../target/donjon/lib/libdonjon.a
#cgo linux LDFLAGS: -lm -ldl -lpthread
*/
import "C"
