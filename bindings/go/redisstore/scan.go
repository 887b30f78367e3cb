package redisstore

import (
	"context"
	"iter"
	"strings"
	"sync"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/redis/go-redis/v9"
)

// scanCount is how many keys a server looks at for one answer.
const scanCount = 1000

// Scan implements [donjon.RecordScanner]. While a cluster moves slots, it may miss
// what is moved.
func (r *Records) Scan(ctx context.Context, part string) iter.Seq2[donjon.ScannedRecord, error] {
	return func(yield func(donjon.ScannedRecord, error) bool) {
		if !r.made() {
			yield(donjon.ScannedRecord{}, donjon.ErrClosed)
			return
		}
		nodes, err := within(ctx, r.patient, r.nodes)
		if err != nil {
			yield(donjon.ScannedRecord{}, failure(err))
			return
		}
		pattern := literally(r.opts.Prefix) + "*" + literally(part) + "*"
		for _, node := range nodes {
			if !r.scanNode(ctx, node, pattern, yield) {
				return
			}
		}
	}
}

// scanNode yields what one server has, and reports whether to go on.
func (r *Records) scanNode(ctx context.Context, node redis.UniversalClient, pattern string, yield func(donjon.ScannedRecord, error) bool) bool {
	type page struct {
		keys   []string
		values [][]byte
		next   uint64
	}
	for cursor := uint64(0); ; {
		found, err := within(ctx, r.patient, func(ctx context.Context) (page, error) {
			keys, next, err := node.Scan(ctx, cursor, pattern, scanCount).Result()
			if err != nil || len(keys) == 0 {
				return page{nil, nil, next}, err
			}
			values, err := getAll(ctx, node, keys)
			return page{keys, values, next}, err
		})
		if err != nil {
			yield(donjon.ScannedRecord{}, failure(err))
			return false
		}
		for i, value := range found.values {
			record := donjon.ScannedRecord{Key: strings.TrimPrefix(found.keys[i], r.opts.Prefix), Value: value}
			if value != nil && !yield(record, nil) {
				return false
			}
		}
		if found.next == 0 {
			return true
		}
		cursor = found.next
	}
}

// nodes returns the servers that have keys, none of them a replica.
func (r *Records) nodes(ctx context.Context) ([]redis.UniversalClient, error) {
	cluster, is := r.client.(*redis.ClusterClient)
	if !is {
		return []redis.UniversalClient{r.client}, nil
	}
	var mu sync.Mutex
	var nodes []redis.UniversalClient
	err := cluster.ForEachMaster(ctx, func(_ context.Context, node *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		nodes = append(nodes, node)
		return nil
	})
	return nodes, err
}

// literally is a pattern of SCAN that matches text alone.
func literally(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(text)
}
