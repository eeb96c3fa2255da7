/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_symbols_internal.h"

#include <stdlib.h>

/*
 * Location expressions (DWARF 5, 2.5 and 2.6): where a variable stands, on a machine of a stack of
 * words. Values that are computed count only where they may be pointers. What is split into pieces,
 * or was in a register that is gone, has no place.
 */

#define STACK_MAX	64
#define OPS_MAX		256
#define NESTED_MAX	3		/* a frame base's own expression */

struct machine {
	struct symbols *s;
	const struct frame_view *v;
	Dwarf_Attribute *attr;
	uint64_t stack[STACK_MAX];
	size_t n;
	unsigned nested;
	bool is_value;			/* DW_OP_reg, DW_OP_stack_value: not an address */
};

static bool run(struct machine *m, const Dwarf_Op *ops, size_t n);

static bool push(struct machine *m, uint64_t v)
{
	if (m->n >= STACK_MAX)
		return false;
	m->stack[m->n++] = v;
	return true;
}

static bool frame_register(const struct machine *m, unsigned number, uint64_t *ret)
{
	Dwarf_Word value;

	if (!m->v->state || dwfl_frame_reg(m->v->state, number, &value) != 0)
		return false;
	*ret = value;
	return true;
}

static bool push_register(struct machine *m, unsigned number, uint64_t offset)
{
	uint64_t value;

	return frame_register(m, number, &value) && push(m, value + offset);
}

/* The frame's address, by the unwinding tables of its code (DWARF 5, 6.4). */
static bool push_cfa(struct machine *m)
{
	Dwarf_Addr bias;
	Dwarf_CFI *tables[2];

	if (!m->v->state)
		return false;
	tables[0] = dwfl_module_eh_cfi(m->v->module, &bias);
	for (int i = 0; i < 2; i++) {
		Dwarf_Frame *frame = NULL;
		Dwarf_Op *ops;
		size_t n;
		bool good;

		if (i == 1)
			tables[1] = dwfl_module_dwarf_cfi(m->v->module, &bias);
		if (!tables[i] || dwarf_cfi_addrframe(tables[i], m->v->pc - bias, &frame) != 0)
			continue;
		good = dwarf_frame_cfa(frame, &ops, &n) == 0 && n > 0 && run(m, ops, n);
		m->is_value = false;
		free(frame);
		return good;
	}
	return false;
}

static bool push_frame_base(struct machine *m, uint64_t offset)
{
	struct machine base = { .s = m->s, .v = m->v, .attr = m->v->frame_base,
				.nested = m->nested + 1 };
	Dwarf_Op *ops;
	size_t n;

	if (!m->v->frame_base || base.nested >= NESTED_MAX ||
	    dwarf_getlocation_addr(m->v->frame_base, m->v->pc - m->v->bias, &ops, &n, 1) != 1 ||
	    !run(&base, ops, n) || base.n == 0)
		return false;
	/* a register as frame base means what it holds */
	return push(m, base.stack[base.n - 1] + offset);
}

static bool push_memory(struct machine *m, size_t size)
{
	char bytes[8] = { 0 };

	if (m->n == 0 || size == 0 || size > 8 ||
	    !symbols_memory(m->s, m->stack[m->n - 1], bytes, size))
		return false;
	m->stack[m->n - 1] = get_u64(bytes);
	return true;
}

/* The address that stands in a table by its number (DW_OP_addrx). */
static bool push_address_of(struct machine *m, const Dwarf_Op *op)
{
	Dwarf_Attribute attr;
	Dwarf_Addr addr;

	return m->attr && dwarf_getlocation_attr(m->attr, op, &attr) == 0 &&
	       dwarf_formaddr(&attr, &addr) == 0 && push(m, addr + m->v->bias);
}

bool symbols_tls(const struct symbols *s, uint64_t offset, uint64_t *ret)
{
	const struct module *m = s->module;
	uint64_t base, align = m->tls_align;

	if (!m->is_program || offset >= m->tls_size || s->thread == SIZE_MAX)
		return false;
	base = s->c->threads[s->thread].fs_base;
	if (base == 0)
		return false;
	if (s->c->machine == EM_X86_64)
		base -= (m->tls_size + align - 1) & ~(align - 1);
	else
		base += (16 + align - 1) & ~(align - 1);
	*ret = base + offset;
	return true;
}

static bool take_tls(struct machine *m)
{
	m->s->met_tls = true;
	return m->n > 0 && symbols_tls(m->s, m->stack[m->n - 1], &m->stack[m->n - 1]);
}

static bool binary(struct machine *m, unsigned op)
{
	uint64_t a, b;

	if (m->n < 2)
		return false;
	b = m->stack[--m->n];
	a = m->stack[m->n - 1];
	switch (op) {
	case DW_OP_plus:
		a += b;
		break;
	case DW_OP_minus:
		a -= b;
		break;
	case DW_OP_mul:
		a *= b;
		break;
	case DW_OP_and:
		a &= b;
		break;
	case DW_OP_or:
		a |= b;
		break;
	case DW_OP_xor:
		a ^= b;
		break;
	case DW_OP_shl:
		a = b < 64 ? a << b : 0;
		break;
	case DW_OP_shr:
		a = b < 64 ? a >> b : 0;
		break;
	case DW_OP_shra:
		a = (uint64_t)((int64_t)a >> (b < 63 ? b : 63));
		break;
	default:
		return false;
	}
	m->stack[m->n - 1] = a;
	return true;
}

static bool shuffle(struct machine *m, unsigned op)
{
	uint64_t top;

	if (m->n == 0)
		return false;
	top = m->stack[m->n - 1];
	switch (op) {
	case DW_OP_dup:
		return push(m, top);
	case DW_OP_drop:
		m->n--;
		return true;
	case DW_OP_neg:
		m->stack[m->n - 1] = -top;
		return true;
	case DW_OP_not:
		m->stack[m->n - 1] = ~top;
		return true;
	case DW_OP_over:
		return m->n >= 2 && push(m, m->stack[m->n - 2]);
	case DW_OP_swap:
		if (m->n < 2)
			return false;
		m->stack[m->n - 1] = m->stack[m->n - 2];
		m->stack[m->n - 2] = top;
		return true;
	default:
		return binary(m, op);
	}
}

static bool step(struct machine *m, const Dwarf_Op *op)
{
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
		return push_register(m, op->atom - DW_OP_breg0, op->number);
	if (op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31) {
		m->is_value = true;
		return push_register(m, op->atom - DW_OP_reg0, 0);
	}
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
		return push(m, op->atom - DW_OP_lit0);
	switch (op->atom) {
	case DW_OP_addr:
		return push(m, op->number + m->v->bias);
	case DW_OP_addrx:
	case DW_OP_GNU_addr_index:
		return push_address_of(m, op);
	case DW_OP_const1u: case DW_OP_const1s: case DW_OP_const2u: case DW_OP_const2s:
	case DW_OP_const4u: case DW_OP_const4s: case DW_OP_const8u: case DW_OP_const8s:
	case DW_OP_constu: case DW_OP_consts:
		return push(m, op->number);
	case DW_OP_fbreg:
		return push_frame_base(m, op->number);
	case DW_OP_bregx:
		return op->number < UINT32_MAX && push_register(m, (unsigned)op->number, op->number2);
	case DW_OP_regx:
		m->is_value = true;
		return op->number < UINT32_MAX && push_register(m, (unsigned)op->number, 0);
	case DW_OP_call_frame_cfa:
		m->nested++;
		return m->nested < NESTED_MAX && push_cfa(m);
	case DW_OP_plus_uconst:
		return m->n > 0 && (m->stack[m->n - 1] += op->number, true);
	case DW_OP_deref:
		return push_memory(m, 8);
	case DW_OP_deref_size:
		return push_memory(m, op->number);
	case DW_OP_form_tls_address:
	case DW_OP_GNU_push_tls_address:
		return take_tls(m);
	case DW_OP_stack_value:
		m->is_value = true;
		return m->n > 0;
	case DW_OP_nop:
		return true;
	default:
		return shuffle(m, op->atom);
	}
}

static bool run(struct machine *m, const Dwarf_Op *ops, size_t n)
{
	if (n > OPS_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!step(m, &ops[i]))
			return false;
	return true;
}

bool symbols_locate(struct symbols *s, const struct frame_view *v, Dwarf_Attribute *location,
		    struct place *ret)
{
	struct machine m = { .s = s, .v = v, .attr = location };
	Dwarf_Op *ops;
	size_t n;

	if (v->state) {
		if (dwarf_getlocation_addr(location, v->pc - v->bias, &ops, &n, 1) != 1)
			return false;
		if (n > 0 && ops[0].atom == DW_OP_addr)
			return false;	/* a static: it is in no frame */
	} else if (dwarf_getlocation(location, &ops, &n) != 0) {
		return false;
	}
	if (n == 0 || !run(&m, ops, n) || m.n == 0)
		return false;
	*ret = (struct place){ m.is_value, m.stack[m.n - 1] };
	return true;
}
