module github.com/donjon-security/donjon/benches/go

go 1.25

require (
	github.com/donjon-security/donjon/bindings/go v0.0.0
	github.com/golang-jwt/jwt/v5 v5.3.1
)

replace github.com/donjon-security/donjon/bindings/go => ../../bindings/go
