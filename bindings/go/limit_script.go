package donjon

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// Script returns the kernel's Lua text that spends such limits in Redis or Valkey,
// as one atomic step on the state under KEYS[1]. There is one for each algorithm.
// It answers with a list of three: 1 if it has spent, 0 if it has refused or only
// looked, 2 if the state is of other limits or damaged; the state that it found;
// and the time by which it decided, in Unix milliseconds. The verdict is that of
// [Limits.Spend] on that state and time.
func (l *Limits) Script() (string, error) {
	text, err := l.answer(abi.Limits.Script)
	return abi.Text(text), err
}

// ScriptArgs returns the ARGV of [Limits.Script], at a time or, if now is zero, by
// the server's clock.
func (l *Limits) ScriptArgs(cost uint32, now time.Time) ([]string, error) {
	if l == nil || l.args == nil || cost >= uint32(len(l.args)) || !now.IsZero() {
		return l.scriptArgs(cost, now)
	}
	known := l.args[cost].Load()
	if known == nil {
		args, err := l.scriptArgs(cost, now)
		if err != nil {
			return nil, err
		}
		l.args[cost].Store(&args)
		known = &args
	}
	return slices.Clone(*known), nil
}

// serverArgs are the arguments for a cost of 0 and of 1 by the server's clock, once
// they are known: they are those of nearly every call.
type serverArgs [2]atomic.Pointer[[]string]

func (l *Limits) scriptArgs(cost uint32, now time.Time) ([]string, error) {
	return decodedList[string](l.answer(func(limits abi.Limits) ([]byte, int32) {
		return limits.ScriptArgs(cost, optionalMilliseconds(now))
	}))
}

// CompareAndSetScript returns the kernel's Lua text that replaces the value of
// KEYS[1] if it is ARGV[1], where "" is no value, by ARGV[2], where "" deletes, for
// ARGV[3] milliseconds, where "" keeps the time to live. It answers 1 if it did.
func CompareAndSetScript() (string, error) {
	text, status := abi.CompareAndSetScript()
	return abi.Text(text), failure(status)
}
