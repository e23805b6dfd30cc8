package vault

// SetUses sets the count of uses of the key that Seal uses now, as if it had sealed so many records.
func (v *Vault) SetUses(class Class, scope string, n uint64) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	v.current[slot{class, scope}].uses.Store(n)
}

// MaxUses is how often a key is used.
const MaxUses = maxUses
