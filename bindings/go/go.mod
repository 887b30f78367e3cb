module github.com/donjon-security/donjon/bindings/go

go 1.25
