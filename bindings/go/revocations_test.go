package donjon_test

import (
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/internal/storetest"
)

func TestRevocationsInMemory(t *testing.T) {
	storetest.Revocations(t, func(testing.TB) donjon.RecordStore { return new(donjon.MemoryRecords) })
}
