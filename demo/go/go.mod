module github.com/donjon-security/donjon/demo/go

go 1.25

require github.com/donjon-security/donjon/bindings/go v0.0.0

replace github.com/donjon-security/donjon/bindings/go => ../../bindings/go
