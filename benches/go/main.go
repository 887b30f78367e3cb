// Command go measures donjon beside golang-jwt v5, casbin v2, Tink and limiters, as a web service uses them, and prints
// JSON lines.
package main

import (
	"os"
	"runtime/debug"
)

func main() {
	only := os.Getenv("ONLY")
	for _, capability := range []struct {
		name    string
		measure func()
	}{{"tokens", measureTokens}, {"roles", measureRoles}, {"envelopes", measureEnvelopes}, {"limits", measureLimits}} {
		if only == "" || only == capability.name {
			capability.measure()
		}
	}
}

func version(module string) string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return dependency.Version
		}
	}
	return "?"
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
