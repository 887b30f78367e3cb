package donjon_test

import (
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/internal/storetest"
)

func TestSessionsInMemory(t *testing.T) {
	storetest.Sessions(t, func(testing.TB) donjon.RecordStore { return new(donjon.MemoryRecords) })
}
