package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"strings"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// place is where a cell belongs: table, column and row.
var place = []string{"users", "email", "5f0c2a9e-4b7d-4c1e-9a53-0d8e6f7b2c14"}

// side seals and opens under one key, made once, with the context put together for each call.
type side struct {
	name string
	seal func(plaintext []byte) []byte
	open func(sealed []byte) []byte
}

// measureEnvelopes seals and opens a cell of a column and a megabyte.
func measureEnvelopes() {
	keyring := must(donjon.GenerateKeyring(map[donjon.Purpose]donjon.Algorithm{donjon.PurposeEnvelope: donjon.HS256}))
	defer keyring.Close()
	sealer := must(donjon.NewSealer(keyring))
	defer sealer.Close()
	dataKey, _, err := sealer.NewDataKey("tenant")
	if err != nil {
		panic(err)
	}
	defer dataKey.Close()
	ours := side{
		"donjon",
		func(plaintext []byte) []byte { return must(dataKey.Seal(donjon.ContextOf(place...), plaintext)) },
		func(sealed []byte) []byte { return must(dataKey.Open(donjon.ContextOf(place...), sealed)) },
	}
	for _, size := range []struct {
		name string
		len  int
	}{{"64 B cell", 64}, {"1 KiB cell", 1 << 10}, {"1 MiB", 1 << 20}} {
		for _, peer := range []side{standard(), tink()} {
			compareSides(size.name, ours, peer, make([]byte, size.len))
		}
	}
}

func compareSides(name string, ours, peer side, plaintext []byte) {
	oursSealed, peerSealed := ours.seal(plaintext), peer.seal(plaintext)
	if !bytes.Equal(ours.open(oursSealed), plaintext) || !bytes.Equal(peer.open(peerSealed), plaintext) {
		panic("what was sealed does not open")
	}
	report("envelopes "+name+" seal", peer.name, nil, func() { ours.seal(plaintext) }, func() { peer.seal(plaintext) })
	report("envelopes "+name+" open", peer.name, nil, func() { ours.open(oursSealed) }, func() { peer.open(peerSealed) })
}

// standard is AES-256-GCM of the standard library, with a fresh nonce before the ciphertext.
func standard() side {
	key := make([]byte, 32)
	rand.Read(key)
	gcm := must(cipher.NewGCM(must(aes.NewCipher(key))))
	return side{
		"crypto/cipher AES-GCM",
		func(plaintext []byte) []byte {
			nonce := make([]byte, gcm.NonceSize(), gcm.NonceSize()+len(plaintext)+gcm.Overhead())
			rand.Read(nonce)
			return gcm.Seal(nonce, nonce, plaintext, associated())
		},
		func(sealed []byte) []byte {
			return must(gcm.Open(nil, sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():], associated()))
		},
	}
}

func tink() side {
	primitive := must(aead.New(must(keyset.NewHandle(aead.AES256GCMKeyTemplate()))))
	return side{
		"tink-go " + version("github.com/tink-crypto/tink-go/v2") + " AES256_GCM",
		func(plaintext []byte) []byte { return must(primitive.Encrypt(plaintext, associated())) },
		func(sealed []byte) []byte { return must(primitive.Decrypt(sealed, associated())) },
	}
}

func associated() []byte { return []byte(strings.Join(place, "\x00")) }
