//go:build donjon_shim && !donjon_pkgconfig

package abi

/*
#cgo CFLAGS: -I${SRCDIR}/../../../../target/donjon-shim/include -DDONJON_TEST_ENTROPY
#cgo LDFLAGS: ${SRCDIR}/../../../../target/donjon-shim/lib/libdonjon.a
#cgo linux LDFLAGS: -lm -ldl -lpthread
*/
import "C"
