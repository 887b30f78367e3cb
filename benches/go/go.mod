module github.com/donjon-security/donjon/benches/go

go 1.25.0

require (
	github.com/casbin/casbin/v2 v2.135.0
	github.com/donjon-security/donjon/bindings/go v0.0.0
	github.com/golang-jwt/jwt/v5 v5.3.1
	github.com/tink-crypto/tink-go/v2 v2.9.0
)

require (
	github.com/bmatcuk/doublestar/v4 v4.6.1 // indirect
	github.com/casbin/govaluate v1.3.0 // indirect
	github.com/google/uuid v1.6.0 // indirect
	golang.org/x/crypto v0.53.0 // indirect
	golang.org/x/sys v0.46.0 // indirect
	google.golang.org/protobuf v1.36.11 // indirect
)

replace github.com/donjon-security/donjon/bindings/go => ../../bindings/go
