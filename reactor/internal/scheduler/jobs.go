package scheduler

// Job is something to compute that a loop may do itself.
type Job interface {
	// Kind numbers what the job is, below Kinds: jobs of a kind take as long.
	Kind() int
	// Compute does it. It does not wait.
	Compute()
	// Gone reports whether nobody wants it any more.
	Gone() bool
}

// Kinds is how many kinds of jobs are told apart.
const Kinds = 5

// jobs are those that the loop computes itself.
type jobs struct {
	round int64 // for how long it computes in a round, in ns; 0 = not at all
	queue []Job
	spare []Job // the queue that was worked off last
	kinds [Kinds]Allowance
	lap   func(now int64) int64 // what was spent since the last lap
}

const (
	// longJob is how many times the time of a round a job may take on average: it
	// then is the only one of its round.
	longJob = 3
	// keptJobs is how many jobs may wait for the loop's next round. More than that
	// are worth somebody else's wake-up, and need its core.
	keptJobs = 8
)

// Compute has a job computed: by the loop, soon, or by somebody else.
func (s *Scheduler[C]) Compute(j Job) {
	if s.jobs.round <= 0 || !s.jobs.kinds[j.Kind()].Takes() {
		s.handOff(j)
		return
	}
	s.jobs.queue = append(s.jobs.queue, j)
}

func (s *Scheduler[C]) handOff(j Job) {
	s.sleep.stirred = true
	s.program.HandOff(j)
}

// Soon is the end of a callback for jobs: they are computed now, if there is nothing
// to be read, or else when the loop has read that.
func (s *Scheduler[C]) Soon() {
	if len(s.jobs.queue) == 0 {
		return
	}
	s.mu.Lock()
	woken := s.woken
	s.mu.Unlock()
	if woken {
		return
	}
	if s.loop.Idle() {
		s.compute()
		s.Settle()
		s.program.Rested()
	}
	s.again()
}

// again has the loop come back to the jobs that are left.
func (s *Scheduler[C]) again() {
	if len(s.jobs.queue) > 0 {
		s.Return()
	}
}

// compute works off the queue.
func (s *Scheduler[C]) compute() {
	q := &s.jobs
	if len(q.queue) == 0 {
		return
	}
	list := q.queue
	q.queue = q.spare[:0]
	q.lap(s.now())
	left := q.round
	for i, j := range list {
		list[i] = nil
		if left <= 0 {
			if len(q.queue) < keptJobs {
				q.queue = append(q.queue, j)
			} else {
				s.handOff(j)
			}
			continue
		}
		if !j.Gone() {
			kind := j.Kind()
			j.Compute()
			cost := q.lap(s.now())
			q.kinds[kind].Took(cost, longJob*q.round)
			left -= cost
		}
		s.program.Computed(j)
	}
	q.spare = list[:0]
}
