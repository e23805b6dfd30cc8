package network

import "sync"

// collectors is how many goroutines hand the words of devices to the lanes.
const collectors = 4

// collectorFull is how many acknowledgements may wait before devices are slowed down.
const collectorFull = 8192

// collector gathers what devices say while the lanes are busy with what they said before, so that one call of the lanes
// covers many devices. A device always has the same collector.
type collector struct {
	lanes Lanes
	mu    sync.Mutex
	wake  sync.Cond // something came, or room was made, or the end
	words words
	ended bool
}

type words struct {
	acks     []Ack
	receipts []Receipt
	retries  []Retry
}

func (w *words) empty() bool { return len(w.acks)+len(w.receipts)+len(w.retries) == 0 }

func (c *collector) start(lanes Lanes, wg *sync.WaitGroup) {
	c.lanes = lanes
	c.wake.L = &c.mu
	wg.Go(c.run)
}

// wait blocks while too much is waiting.
func (c *collector) wait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.words.acks)+len(c.words.receipts) >= collectorFull && !c.ended {
		c.wake.Wait()
	}
}

func (c *collector) acked(list []Ack) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.words.acks = append(c.words.acks, list...)
	c.wake.Broadcast()
}

func (c *collector) receipt(r Receipt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.words.receipts = append(c.words.receipts, r)
	c.wake.Broadcast()
}

func (c *collector) retry(r Retry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.words.retries = append(c.words.retries, r)
	c.wake.Broadcast()
}

// run hands words over until stop, and then what is left. Acknowledgements go first, so that a message is delivered before
// it is read.
func (c *collector) run() {
	for {
		c.mu.Lock()
		for c.words.empty() && !c.ended {
			c.wake.Wait()
		}
		w := c.words
		c.words = words{}
		ended := c.ended
		c.wake.Broadcast()
		c.mu.Unlock()
		if len(w.acks) > 0 {
			c.lanes.Acked(w.acks)
		}
		if len(w.receipts) > 0 {
			c.lanes.Receipts(w.receipts)
		}
		for _, r := range w.retries {
			c.lanes.Retry(r)
		}
		if ended && w.empty() {
			return
		}
	}
}

func (c *collector) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.wake.Broadcast()
}
