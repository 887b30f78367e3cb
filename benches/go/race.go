package main

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

const (
	rounds    = 400
	roundTime = time.Millisecond
)

// row is one line of target/bench.jsonl.
type row struct {
	Name   string   `json:"name"`
	Host   string   `json:"host"`
	OursNS float64  `json:"ours_ns"`
	Peer   string   `json:"peer"`
	PeerNS float64  `json:"peer_ns"`
	Ratio  float64  `json:"ratio"`
	Wanted *float64 `json:"wanted"`
}

// report races ours against the peer and prints the row.
func report(name, peerName string, wanted *float64, ours, peer func()) {
	oursNS, peerNS := race(ours, peer)
	reportTimes(name, peerName, wanted, oursNS, peerNS)
}

// reportTimes prints the row of what was measured elsewhere.
func reportTimes(name, peerName string, wanted *float64, oursNS, peerNS float64) {
	line, err := json.Marshal(row{
		name, "go", rounded(oursNS, 10), peerName, rounded(peerNS, 10), significant(oursNS / peerNS), wanted,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

// race gives the least time per call of each, in nanoseconds, over rounds that alternate.
func race(ours, peer func()) (oursNS, peerNS float64) {
	oursCalls, peerCalls := calls(ours), calls(peer)
	oursNS, peerNS = math.Inf(1), math.Inf(1)
	for range rounds {
		oursNS = min(oursNS, perCall(ours, oursCalls))
		peerNS = min(peerNS, perCall(peer, peerCalls))
	}
	return oursNS, peerNS
}

func calls(call func()) int {
	perCall(call, 20)
	return max(2, min(5_000, int(float64(roundTime)/perCall(call, 20))))
}

func perCall(call func(), count int) float64 {
	start := time.Now()
	for range count {
		call()
	}
	return float64(time.Since(start)) / float64(count)
}

func rounded(value, unit float64) float64 {
	return math.Round(value*unit) / unit
}

// significant keeps four decimals, and more of what is a small fraction of its peer.
func significant(ratio float64) float64 {
	if ratio < 0.01 {
		return rounded(ratio, 10_000_000)
	}
	return rounded(ratio, 10_000)
}
