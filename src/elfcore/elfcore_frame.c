/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_symbols_internal.h"

#include <stdlib.h>

/* Arguments and locals: each thread's stack is unwound by libdwfl on the core's memory and
   registers, as we read them. */

#define HASPC_UNITS_MAX	100000

static pid_t no_next_thread(Dwfl *dwfl, void *dwfl_arg, void **thread_argp)
{
	(void)dwfl;
	(void)dwfl_arg;
	(void)thread_argp;
	return 0;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *dwfl_arg, void **thread_argp)
{
	(void)dwfl;
	(void)tid;
	*thread_argp = dwfl_arg;
	return true;
}

static bool memory_read(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *ret, void *dwfl_arg)
{
	char bytes[8];

	(void)dwfl;
	if (!symbols_memory(dwfl_arg, addr, bytes, sizeof(bytes)))
		return false;
	*ret = get_u64(bytes);
	return true;
}

/* DWARF's numbers of the registers: System V ABI, AMD64 supplement, figure 3.36; AArch64 DWARF. */
static bool set_initial_registers(Dwfl_Thread *thread, void *thread_arg)
{
	static const uint8_t x86[17] = { X86_RAX, X86_RDX, X86_RCX, X86_RBX, X86_RSI, X86_RDI,
					 X86_RBP, X86_RSP, X86_R8,  X86_R9,  X86_R10, X86_R11,
					 X86_R12, X86_R13, X86_R14, X86_R15, X86_RIP };
	const struct symbols *s = thread_arg;
	const uint64_t *r = s->c->regs[s->walked].r;
	Dwarf_Word regs[32];

	if (s->c->machine == EM_X86_64) {
		for (size_t i = 0; i < ARRAY_SIZE(x86); i++)
			regs[i] = r[x86[i]];
		return dwfl_thread_state_registers(thread, 0, ARRAY_SIZE(x86), regs);
	}
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		regs[i] = r[i];
	dwfl_thread_state_register_pc(thread, r[ARM_PC]);
	return dwfl_thread_state_registers(thread, 0, ARRAY_SIZE(regs), regs);
}

bool symbols_attach(struct symbols *s)
{
	static const Dwfl_Thread_Callbacks callbacks = {
		.next_thread = no_next_thread,
		.get_thread = get_thread,
		.memory_read = memory_read,
		.set_initial_registers = set_initial_registers,
	};

	return dwfl_attach_state(s->dwfl, NULL, 1, &callbacks, s);
}

/* The unit of a code address. Not every compiler writes the table that tells at once. */
static Dwarf_Die *unit_at(Dwfl_Module *mod, Dwarf_Addr pc, Dwarf_Addr *ret_bias)
{
	Dwarf_Die *unit = dwfl_module_addrdie(mod, pc, ret_bias);

	if (unit)
		return unit;
	for (unsigned i = 0; i < HASPC_UNITS_MAX; i++) {
		unit = dwfl_module_nextcu(mod, unit, ret_bias);
		if (!unit || dwarf_haspc(unit, pc - *ret_bias) == 1)
			return unit;
	}
	return NULL;
}

/* The blocks, inlined functions and the function around a code address; the same for many
   threads. */
static const struct scopes *scopes_at(struct symbols *s, Dwfl_Module *mod, Dwarf_Addr pc)
{
	struct scopes *sc = &s->scopes[(pc ^ pc >> 10) % SCOPE_CACHE];
	Dwarf_Die *unit, *inner = NULL;

	if (sc->pc == pc)
		return sc;
	free(sc->v);
	*sc = (struct scopes){ .pc = pc };
	unit = unit_at(mod, pc, &sc->bias);
	if (!unit)
		return sc;
	sc->unit = *unit;
	/* where a function is inlined, this gives what is around its definition; then the tree says
	   what is around it here */
	if (dwarf_getscopes(unit, pc - sc->bias, &inner) > 0)
		sc->n = dwarf_getscopes_die(&inner[0], &sc->v);
	free(inner);
	if (sc->n < 0)
		sc->n = 0;
	return sc;
}

static bool is_function(Dwarf_Die *die)
{
	int tag = dwarf_tag(die);

	return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine;
}

static void local(struct symbols *s, const struct frame_view *v, Dwarf_Die *die)
{
	Dwarf_Attribute location;
	const char *name;
	struct place place;
	struct type *t;

	if (!dwarf_attr_integrate(die, DW_AT_location, &location))
		return;
	name = dwarf_diename(die);
	t = name ? symbols_type(s, die) : NULL;
	if (!t || !symbols_locate(s, v, &location, &place))
		return;
	if (place.is_value)
		symbols_walk_value(s, name, place.addr, t);
	else
		symbols_walk_variable(s, name, place.addr, t);
}

static void locals_of(struct symbols *s, const struct frame_view *v, Dwarf_Die *scope)
{
	Dwarf_Die child;

	for (int r = dwarf_child(scope, &child); r == 0; r = dwarf_siblingof(&child, &child)) {
		int tag = dwarf_tag(&child);

		if (tag == DW_TAG_variable || tag == DW_TAG_formal_parameter)
			local(s, v, &child);
	}
}

/* What is declared at a frame's code address, up to its function; names of inlined functions are
   theirs, and so are their locals. */
static void locals(struct symbols *s, struct frame_view *v, const struct scopes *sc)
{
	Dwarf_Attribute frame_base;
	int end = 0;

	while (end < sc->n && dwarf_tag(&sc->v[end]) != DW_TAG_subprogram)
		end++;
	if (end == sc->n)
		return;
	v->frame_base = dwarf_attr_integrate(&sc->v[end], DW_AT_frame_base, &frame_base);
	s->file = dwarf_diename((Dwarf_Die *)&sc->unit);
	for (int i = 0; i <= end; i++) {
		int f = i;

		while (f < end && !is_function(&sc->v[f]))
			f++;
		s->function = dwarf_diename(&sc->v[f]);
		locals_of(s, v, &sc->v[i]);
	}
	s->n_frames++;
}

static const struct module *module_of(const struct symbols *s, const Dwfl_Module *mod)
{
	for (size_t i = 0; mod && i < s->n_modules; i++)
		if (s->modules[i].dwfl == mod)
			return &s->modules[i];
	return NULL;
}

struct thread_walk {
	struct symbols *s;
	unsigned n;
};

static int frame(Dwfl_Frame *state, void *arg)
{
	struct thread_walk *walk = arg;
	struct symbols *s = walk->s;
	struct frame_view v = { .state = state };
	const struct scopes *sc;
	bool activation;

	if (++walk->n > LIMIT_SYMBOLS_FRAMES) {
		s->capped = true;
		return DWARF_CB_ABORT;
	}
	if (!dwfl_frame_pc(state, &v.pc, &activation))
		return DWARF_CB_ABORT;
	if (!activation && v.pc > 0)
		v.pc--;		/* the call, not what comes behind it */
	v.module = dwfl_addrmodule(s->dwfl, v.pc);
	s->module = module_of(s, v.module);
	if (!s->module)
		return DWARF_CB_OK;
	sc = scopes_at(s, v.module, v.pc);
	v.bias = sc->bias;
	locals(s, &v, sc);
	return DWARF_CB_OK;
}

void symbols_thread(struct symbols *s, size_t thread)
{
	struct thread_walk walk = { .s = s };

	s->walked = s->thread = thread;
	dwfl_getthread_frames(s->dwfl, (pid_t)(thread + 1), frame, &walk);
	s->function = s->file = NULL;
}
