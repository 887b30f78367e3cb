package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// moves is how often a key is looked for anew that another node of a cluster has.
const moves = 3

// acknowledged runs a script on a key, and waits until the replicas have what it has
// written. WAIT is about the connection that it comes by, so both go by one, to the
// node that has the key.
func (r *Records) acknowledged(ctx context.Context, script *redis.Script, key string, args []any) (int64, error) {
	for range moves {
		node, err := r.master(ctx, key)
		if err != nil {
			return 0, err
		}
		answer, err := r.runAndWait(ctx, node, script, key, args)
		if cluster, is := r.client.(*redis.ClusterClient); is && hasMoved(err) {
			cluster.ReloadState(ctx)
			continue
		}
		return answer, err
	}
	return 0, errors.New("redisstore: the key keeps moving")
}

// master returns the client of the server that has a key.
func (r *Records) master(ctx context.Context, key string) (*redis.Client, error) {
	switch client := r.client.(type) {
	case *redis.Client:
		return client, nil
	case *redis.ClusterClient:
		return client.MasterForKey(ctx, key)
	default:
		return nil, fmt.Errorf("redisstore: the replicas of a %T are not known", client)
	}
}

func (r *Records) runAndWait(ctx context.Context, node *redis.Client, script *redis.Script, key string, args []any) (int64, error) {
	swapped, err := r.sendAndWait(ctx, node, script.EvalSha, key, args)
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		swapped, err = r.sendAndWait(ctx, node, script.Eval, key, args)
	}
	return swapped, err
}

type evaluation func(ctx context.Context, client redis.Scripter, keys []string, args ...any) *redis.Cmd

func (r *Records) sendAndWait(ctx context.Context, node *redis.Client, run evaluation, key string, args []any) (int64, error) {
	var swapped, waited *redis.Cmd
	_, err := node.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		swapped = run(ctx, pipe, []string{key}, args...)
		waited = pipe.Do(ctx, "wait", r.opts.WaitReplicas, r.opts.WaitTimeout.Milliseconds())
		return nil
	})
	if err != nil {
		return 0, err
	}
	acknowledged, err := waited.Int()
	if err != nil {
		return 0, err
	}
	if acknowledged < r.opts.WaitReplicas {
		return 0, fmt.Errorf("redisstore: %d of %d replicas have acknowledged", acknowledged, r.opts.WaitReplicas)
	}
	return swapped.Int64()
}

func hasMoved(err error) bool {
	return err != nil && (strings.HasPrefix(err.Error(), "MOVED ") || strings.HasPrefix(err.Error(), "ASK "))
}
