package donjon_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/donjon-security/donjon/bindings/go"
)

// What is sealed opens where it belongs, and nowhere else.
func ExampleSealer() {
	keys, err := donjon.GenerateKeyring(map[donjon.Purpose]donjon.Algorithm{donjon.PurposeEnvelope: donjon.HS256})
	if err != nil {
		log.Fatal(err)
	}
	defer keys.Close()
	sealer, err := donjon.NewSealer(keys)
	if err != nil {
		log.Fatal(err)
	}
	defer sealer.Close()

	envelope, err := sealer.Seal(donjon.ContextOf("invoices", "42"), []byte("4,000 EUR"))
	if err != nil {
		log.Fatal(err)
	}
	opened, err := sealer.Open(donjon.ContextOf("invoices", "42"), envelope)
	fmt.Println(string(opened), err)
	_, err = sealer.Open(donjon.ContextOf("invoices", "43"), envelope)
	fmt.Println(errors.Is(err, donjon.ErrDecryptFailed))
	// Output:
	// 4,000 EUR <nil>
	// true
}

// A new key seals, and wraps anew what the old one has sealed. Then the old one can
// go.
func ExampleSealer_Rewrap() {
	keys := sealingKeys()
	defer keys.Close()
	old := sealerBy(keys)
	defer old.Close()
	stored, err := old.Seal(donjon.ContextOf("invoices", "42"), []byte("4,000 EUR"))
	if err != nil {
		log.Fatal(err)
	}

	rotated, err := keys.Rotate(donjon.Rotation{Purpose: donjon.PurposeEnvelope})
	if err != nil {
		log.Fatal(err)
	}
	defer rotated.Close()
	sealer := sealerBy(rotated)
	defer sealer.Close()
	needed, err := sealer.NeedsRewrap(stored)
	if err != nil {
		log.Fatal(err)
	}
	if needed {
		if stored, err = sealer.Rewrap(stored, nil); err != nil {
			log.Fatal(err)
		}
	}

	ended, err := rotated.Destroy(old.KeyID())
	if err != nil {
		log.Fatal(err)
	}
	defer ended.Close()
	last := sealerBy(ended)
	defer last.Close()
	opened, err := last.Open(donjon.ContextOf("invoices", "42"), stored)
	fmt.Println(string(opened), err)
	// Output: 4,000 EUR <nil>
}

// Files and requests of any size are sealed as they are read.
func ExampleSealWriter() {
	sealer := sealerBy(exampleSealingKeys)
	defer sealer.Close()
	upload, context := strings.NewReader("a long report"), donjon.ContextOf("reports", "2026-11")

	seal := func(dst io.Writer, src io.Reader) error {
		w, err := sealer.NewWriter(dst, context, nil)
		if err != nil {
			return err
		}
		defer w.Abort() // does nothing after Close
		if _, err := io.Copy(w, src); err != nil {
			return err
		}
		return w.Close()
	}
	var stored bytes.Buffer
	if err := seal(&stored, upload); err != nil {
		log.Fatal(err)
	}

	part := bytes.NewReader(stored.Bytes()[:stored.Len()-1])
	for _, src := range []io.Reader{part, &stored} {
		r, err := sealer.NewReader(src, context, nil)
		if err != nil {
			log.Fatal(err)
		}
		report, err := io.ReadAll(r)
		fmt.Printf("%q %v\n", report, err)
		r.Close()
	}
	// Output:
	// "" donjon: decrypt_failed: the data does not open under this key and context
	// "a long report" <nil>
}

// A part of a large file is read without the rest.
func ExampleSealedReaderAt() {
	sealer := sealerBy(exampleSealingKeys)
	defer sealer.Close()
	context := donjon.ContextOf("videos", "7")
	stored, err := sealer.Seal(context, bytes.Repeat([]byte("frame "), 100_000))
	if err != nil {
		log.Fatal(err)
	}

	video, err := sealer.NewReaderAt(bytes.NewReader(stored), int64(len(stored)), context, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer video.Close()
	part, err := io.ReadAll(io.NewSectionReader(video, 300_000, 12))
	fmt.Printf("%d bytes: %q %v\n", video.Size(), part, err)
	// Output: 600000 bytes: "frame frame " <nil>
}

// A tenant's data key is stored once, and seals the cells of the tenant.
func ExampleEncryptedString() {
	sealer := sealerBy(exampleSealingKeys)
	defer sealer.Close()
	key, wrapped, err := sealer.NewDataKey("acme") // wrapped goes into the table of tenants
	if err != nil {
		log.Fatal(err)
	}
	key.Close()

	key, err = sealer.OpenDataKey(wrapped, "acme")
	if err != nil {
		log.Fatal(err)
	}
	defer key.Close()
	db := exampleDB()
	defer db.Close()

	emails := donjon.ContextOf("acme", "users", "email")
	for id, email := range []string{"ann@example.com", "bob@example.com"} {
		cell := key.Cell(emails.With(fmt.Sprint(id)))
		_, err := db.Exec(`INSERT INTO users (id, email) VALUES (?, ?)`,
			id, donjon.EncryptedString{Cell: cell, String: email})
		if err != nil {
			log.Fatal(err)
		}
	}

	rows, err := db.Query(`SELECT id, email FROM users`)
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Close()
	var id int
	email := donjon.EncryptedString{
		Cell: key.CellFunc(func() donjon.Context { return emails.With(fmt.Sprint(id)) }),
	}
	for rows.Next() {
		if err := rows.Scan(&id, &email); err != nil {
			log.Fatal(err)
		}
		fmt.Println(id, email.String, "shown as", email)
	}
	if err := rows.Err(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 0 ann@example.com shown as [hidden]
	// 1 bob@example.com shown as [hidden]
}

// Beside the sealed e-mail address stands its blind index, to search by.
func ExampleBlindIndex() {
	index, err := donjon.NewBlindIndex(exampleSealingKeys, donjon.BlindIndexOptions{
		Tenant: "acme", Table: "users", Column: "email", Bits: 32,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer index.Close()
	normal := func(email string) []byte { return []byte(strings.ToLower(strings.TrimSpace(email))) }

	stored, err := index.Value(normal("Ann@Example.com"))
	if err != nil {
		log.Fatal(err)
	}
	candidates, err := index.Candidates(normal("ann@example.com "))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(bytes.Equal(candidates[0], stored))
	// Output: true
}

// Secrets in the environment are sealed, the other settings stay as they are.
func ExampleKeyring_OpenSettings() {
	text, err := exampleSealingKeys.SealSetting("DATABASE_URL", "postgres://app:secret@db/app")
	if err != nil {
		log.Fatal(err)
	}
	settings, err := exampleSealingKeys.OpenSettings(map[string]string{"DATABASE_URL": text, "PORT": "8080"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(settings)
	// Output: map[DATABASE_URL:postgres://app:secret@db/app PORT:8080]
}
