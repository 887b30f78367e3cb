package donjon

import (
	"strconv"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/quote"
)

// A document is a JSON object in the making: a configuration for the kernel.
type document struct {
	text []byte
}

func (d *document) member(name string) {
	if len(d.text) == 0 {
		d.text = append(make([]byte, 0, 256), '{')
	} else {
		d.text = append(d.text, ',')
	}
	d.text = quote.Append(d.text, name)
	d.text = append(d.text, ':')
}

func (d *document) string(name, value string) {
	d.member(name)
	d.text = quote.Append(d.text, value)
}

func (d *document) strings(name string, values []string) {
	d.member(name)
	d.text = quote.AppendAll(d.text, values)
}

func (d *document) number(name string, value int64) {
	d.member(name)
	d.text = strconv.AppendInt(d.text, value, 10)
}

// duration writes a number of units; zero stands for the kernel's default.
func (d *document) duration(name string, value, unit time.Duration) error {
	units, err := whole(value, unit)
	if err != nil {
		return misconfigured(name, "not a multiple of "+unit.String())
	}
	if units != 0 {
		d.number(name, units)
	}
	return nil
}

// raw writes a member whose value is JSON already.
func (d *document) raw(name, value string) {
	d.member(name)
	d.text = append(d.text, value...)
}

// expectation writes the member name: the values, or null if it is waived. To
// do both or neither is refused.
func (d *document) expectation(name string, waived bool, values ...string) error {
	given := len(values) > 1 || len(values) == 1 && values[0] != ""
	if err := givenOrWaived(name, given, waived); err != nil {
		return err
	}
	switch {
	case waived:
		d.raw(name, "null")
	case len(values) == 1:
		d.string(name, values[0])
	default:
		d.strings(name, values)
	}
	return nil
}

// givenOrWaived refuses to do both, and to do neither.
func givenOrWaived(name string, given, waived bool) error {
	switch {
	case given && waived:
		return misconfigured(name, "given, and waived")
	case !given && !waived:
		return misconfigured(name, "neither given nor waived")
	default:
		return nil
	}
}

// end returns the finished text, which is empty if nothing was written.
func (d *document) end() string {
	if len(d.text) == 0 {
		return ""
	}
	return string(append(d.text, '}'))
}
