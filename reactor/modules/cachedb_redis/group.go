package cachedb_redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"sipreactor/reactor/store/gate"
)

// timeouts are those of a group.
type timeouts struct {
	connect, query time.Duration
	keepAlive      time.Duration // 0 none
}

// group is the servers of a cachedb_url. Any goroutine may use it; its methods wait
// for the server, as long as do says.
type group struct {
	url     groupURL
	limits  timeouts
	gate    gate.Gate
	mu      sync.Mutex
	client  redis.UniversalClient // nil until it is known whether there is a cluster
	cluster bool
}

// conns bounds the connections to a server.
const conns = 16

func newGroup(u groupURL, t timeouts) *group {
	logging.Disable() // failures come back as errors
	return &group{url: u, limits: t, gate: gate.Gate{Config: gateConfig}}
}

func (g *group) options() *redis.UniversalOptions {
	d := &net.Dialer{Timeout: g.limits.connect, KeepAlive: g.limits.keepAlive}
	if g.limits.keepAlive == 0 {
		d.KeepAlive = -1
	}
	o := &redis.UniversalOptions{
		Addrs: g.url.hosts, DB: g.url.database, Username: g.url.user, Password: g.url.password,
		DialTimeout: g.limits.connect, ReadTimeout: g.limits.query, WriteTimeout: g.limits.query, PoolTimeout: g.limits.query,
		ContextTimeoutEnabled: true, PoolSize: conns, MaxActiveConns: conns, MaxRetries: 1, DialerRetries: 1, DisableIdentity: true,
		Dialer: d.DialContext,
	}
	if g.url.socket != "" {
		o.Addrs = []string{"socket"}
		o.Dialer = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return d.DialContext(ctx, "unix", g.url.socket)
		}
	}
	return o
}

// connect gives the client; it asks the first time whether there is a cluster.
// Of several hosts the first that answers serves, unless they are a cluster.
func (g *group) connect(ctx context.Context) (redis.UniversalClient, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.client != nil {
		return g.client, nil
	}
	o := g.options()
	var last error
	for _, host := range o.Addrs {
		one := *o
		one.Addrs = []string{host}
		c := redis.NewClient(one.Simple())
		info, err := c.Info(ctx, "cluster").Result()
		switch {
		case err != nil:
			last = errors.Join(err, c.Close())
		case strings.Contains(info, "cluster_enabled:1") && g.url.socket == "":
			if err := c.Close(); err != nil {
				return nil, err
			}
			g.client, g.cluster = redis.NewClusterClient(o.Cluster()), true
			return g.client, nil
		default:
			g.client = c
			return c, nil
		}
	}
	return nil, last
}

// forget drops the client of a server that is gone, if there are others to try.
func (g *group) forget(c redis.UniversalClient) {
	if len(g.url.hosts) < 2 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.client == c && !g.cluster {
		g.client = nil
		_ = c.Close() // nothing is under way that would not fail as well
	}
}

// do runs a command within the time of a query, or of connecting where that is longer; at once, with an error, while
// the servers are gone.
func (g *group) do(f func(ctx context.Context, c redis.UniversalClient) error) error {
	probe, err := g.gate.Enter(time.Now())
	if err != nil {
		return err
	}
	err = g.try(f)
	g.gate.Leave(time.Now(), probe, outcome(err), err)
	return err
}

func (g *group) try(f func(ctx context.Context, c redis.UniversalClient) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), max(g.limits.connect, g.limits.query))
	defer cancel()
	var err error
	for range max(len(g.url.hosts), 1) {
		var c redis.UniversalClient
		if c, err = g.connect(ctx); err != nil {
			break
		}
		if err = f(ctx, c); err == nil || errors.Is(err, redis.Nil) || isAnswer(err) || ctx.Err() != nil {
			return err
		}
		g.forget(c)
	}
	return err
}

// isAnswer reports whether a server said that it will not.
func isAnswer(err error) bool {
	var e redis.Error
	return errors.As(err, &e)
}

// ping reports whether a server answers.
func (g *group) ping() error {
	return g.do(func(ctx context.Context, c redis.UniversalClient) error { return c.Ping(ctx).Err() })
}

// Get returns the value of a key; false if there is none.
func (g *group) Get(key string) (value string, ok bool, err error) {
	err = g.do(func(ctx context.Context, c redis.UniversalClient) (err error) {
		value, err = c.Get(ctx, key).Result()
		return err
	})
	if errors.Is(err, redis.Nil) {
		return "", false, nil
	}
	return value, err == nil, err
}

// Set gives a key a value that lives for ttl, 0 for ever.
func (g *group) Set(key, value string, ttl time.Duration) error {
	return g.do(func(ctx context.Context, c redis.UniversalClient) error { return c.Set(ctx, key, value, ttl).Err() })
}

// Remove takes a key away.
func (g *group) Remove(key string) error {
	return g.do(func(ctx context.Context, c redis.UniversalClient) error { return c.Del(ctx, key).Err() })
}

// Add counts a key up by n, which may be below 0, and returns what that comes
// to. A ttl above 0 is the time that it lives from now on.
func (g *group) Add(key string, n int64, ttl time.Duration) (sum int64, err error) {
	err = g.do(func(ctx context.Context, c redis.UniversalClient) (err error) {
		p := c.TxPipeline()
		added := p.IncrBy(ctx, key, n)
		if ttl > 0 {
			p.Expire(ctx, key, ttl)
		}
		if _, err := p.Exec(ctx); err != nil {
			return err
		}
		sum, err = added.Result()
		return err
	})
	return sum, err
}

// Raw runs a command as it is written and returns its answer: a row for each
// element of a list, and one row of one value otherwise. A value that is none is nil.
func (g *group) Raw(command string) (rows [][]any, err error) {
	words := strings.Fields(command)
	if len(words) == 0 {
		return nil, errors.New("the command is empty")
	}
	args := make([]any, len(words))
	for i, w := range words {
		args[i] = w
	}
	var answer any
	err = g.do(func(ctx context.Context, c redis.UniversalClient) (err error) {
		answer, err = c.Do(ctx, args...).Result()
		return err
	})
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return table(answer), nil
}

// table makes rows of an answer.
func table(answer any) (rows [][]any) {
	list, ok := answer.([]any)
	if !ok {
		if pairs, ok := answer.(map[any]any); ok {
			for k, v := range pairs {
				rows = append(rows, []any{scalar(k)}, []any{scalar(v)})
			}
			return rows
		}
		return [][]any{{scalar(answer)}}
	}
	for _, e := range list {
		inner, ok := e.([]any)
		if !ok {
			rows = append(rows, []any{scalar(e)})
			continue
		}
		row := make([]any, len(inner))
		for i, v := range inner {
			row[i] = scalar(v)
		}
		rows = append(rows, row)
	}
	return rows
}

// scalar is a string, an int64 or nil.
func scalar(v any) any {
	switch x := v.(type) {
	case nil, string, int64:
		return x
	case bool:
		if x {
			return int64(1)
		}
		return int64(0)
	default:
		return fmt.Sprint(x)
	}
}

// Close ends the connections.
func (g *group) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.client == nil {
		return nil
	}
	err := g.client.Close()
	g.client = nil
	return err
}
