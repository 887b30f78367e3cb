// The path lies below that of the package, whose internal dispatch this is the program of.
module github.com/donjon-security/donjon/bindings/go/tests/shim

go 1.25

require github.com/donjon-security/donjon/bindings/go v0.0.0

replace github.com/donjon-security/donjon/bindings/go => ../../../bindings/go
