//go:build donjon_pkgconfig

package abi

// #cgo pkg-config: donjon
import "C"
