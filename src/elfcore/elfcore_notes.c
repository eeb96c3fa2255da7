/* SPDX-License-Identifier: Apache-2.0 */
#include "elfcore_internal.h"

#include <signal.h>

/*
 * The notes of a core. Layouts: Linux include/uapi/linux/elfcore.h (elf_prstatus, elf_prpsinfo) and
 * the machines' user_regs_struct; both machines are LP64, so all but the registers is one layout.
 */

#define PRSTATUS_CURSIG	12	/* u16 */
#define PRSTATUS_PID	32	/* u32 */
#define PRSTATUS_REGS	112

#define PRPSINFO_UID	16
#define PRPSINFO_GID	20
#define PRPSINFO_PID	24
#define PRPSINFO_FNAME	40	/* 16 bytes */
#define PRPSINFO_ARGS	56	/* 80 bytes */
#define PRPSINFO_SIZE	136

#define SIGINFO_CODE	8
#define SIGINFO_ADDR	16

#define AT_PHDR_TYPE	3
#define AT_EXECFN_TYPE	31

#define NT_ARM_TLS_TYPE	0x401

static uint64_t reg(const char *regs, unsigned i)
{
	return get_u64(regs + i * 8);
}

/*
 * Does rax say that the call was interrupted, not done? The kernel leaves -ERESTART… (-516 to
 * -512) or -EINTR (-4) there while a thread is stopped within a system call that waits.
 */
static bool x86_is_waiting(uint64_t rax)
{
	int64_t v = (int64_t)rax;

	return (v >= -516 && v <= -512) || v == -4;
}

static void x86_regs(const char *regs, struct elfcore_thread *t)
{
	static const uint8_t args[6] = { X86_RDI, X86_RSI, X86_RDX, X86_R10, X86_R8, X86_R9 };
	int64_t nr = (int64_t)reg(regs, X86_ORIG_RAX);

	t->pc = reg(regs, X86_RIP);
	t->sp = reg(regs, X86_RSP);
	t->fs_base = reg(regs, X86_FS_BASE);
	if (nr < 0 || !x86_is_waiting(reg(regs, X86_RAX)))
		return;
	t->syscall = nr;
	for (unsigned i = 0; i < 6; i++)
		t->args[i] = reg(regs, args[i]);
}

/*
 * arm64 puts x0 and pc back before a thread stops in a call that waits, so x8 and the arguments are
 * whole, but nothing marks the call as running: any small number in x8 is a candidate.
 */
static void arm_regs(const char *regs, struct elfcore_thread *t)
{
	uint64_t nr = reg(regs, ARM_X8);

	t->pc = reg(regs, ARM_PC);
	t->sp = reg(regs, ARM_SP);
	if (nr >= 1024)
		return;
	t->syscall = (int64_t)nr;
	for (unsigned i = 0; i < 6; i++)
		t->args[i] = reg(regs, i);
}

static int prstatus_parse(struct elfcore *c, struct span d, struct err *err)
{
	struct elfcore_thread t = { .syscall = -1 };
	struct elfcore_regs regs = { { 0 } };
	size_t n_regs = c->machine == EM_X86_64 ? X86_N_REGS : ARM_N_REGS;

	if (d.len < PRSTATUS_REGS + n_regs * 8)
		return RC_OK;	/* not this machine's: nothing to learn from it */
	if (c->n_threads >= LIMIT_CORE_THREADS)
		return err_set(err, RC_TOOBIG, "%s: more than %d threads", c->name,
			       LIMIT_CORE_THREADS);
	t.lwp = (int)get_u32(d.p + PRSTATUS_PID);
	if (c->machine == EM_X86_64)
		x86_regs(d.p + PRSTATUS_REGS, &t);
	else
		arm_regs(d.p + PRSTATUS_REGS, &t);
	if (c->n_threads == 0)
		c->info.signal = get_u16(d.p + PRSTATUS_CURSIG);
	for (size_t i = 0; i < n_regs; i++)
		regs.r[i] = reg(d.p + PRSTATUS_REGS, (unsigned)i);
	GROW(c->threads, c->n_threads, c->cap_threads);
	GROW(c->regs, c->n_threads, c->cap_regs);
	c->regs[c->n_threads] = regs;
	c->threads[c->n_threads++] = t;
	return RC_OK;
}

static const char *field_string(struct elfcore *c, struct span d, size_t off, size_t len)
{
	len = strnlen(d.p + off, len);
	while (len > 0 && d.p[off + len - 1] == ' ')	/* the kernel's, behind the last argument */
		len--;
	return len ? arena_strndup(c->arena, d.p + off, len) : NULL;
}

static void prpsinfo_parse(struct elfcore *c, struct span d)
{
	if (d.len < PRPSINFO_SIZE || c->has_prpsinfo)
		return;
	c->has_prpsinfo = true;
	c->info.uid = get_u32(d.p + PRPSINFO_UID);
	c->info.gid = get_u32(d.p + PRPSINFO_GID);
	c->info.pid = (int)get_u32(d.p + PRPSINFO_PID);
	c->info.comm = field_string(c, d, PRPSINFO_FNAME, 16);
	c->info.args = field_string(c, d, PRPSINFO_ARGS, 80);
}

/* The first one is that of the thread that got the signal; gdb writes one for each thread. */
static void siginfo_parse(struct elfcore *c, struct span d)
{
	int signo;

	if (d.len < SIGINFO_ADDR + 8 || c->has_siginfo)
		return;
	c->has_siginfo = true;
	signo = (int)get_u32(d.p);
	c->info.si_code = (int)get_u32(d.p + SIGINFO_CODE);
	if (c->info.signal == 0)
		c->info.signal = signo;
	/* only the kernel's own codes (> 0) come with an address */
	if (c->info.si_code > 0 && (signo == SIGSEGV || signo == SIGBUS || signo == SIGILL ||
				    signo == SIGFPE || signo == SIGTRAP)) {
		c->info.fault_addr = get_u64(d.p + SIGINFO_ADDR);
		c->info.has_fault_addr = true;
	}
}

static void auxv_parse(struct elfcore *c, struct span d)
{
	for (size_t i = 0; i + 16 <= d.len; i += 16) {
		uint64_t type = get_u64(d.p + i), value = get_u64(d.p + i + 8);

		if (type == AT_NULL)
			break;
		if (type == AT_PHDR_TYPE)
			c->at_phdr = value;
		if (type == AT_EXECFN_TYPE)
			c->at_execfn = value;
	}
}

static int note_parse(struct elfcore *c, const struct elfcore_note *n, struct err *err)
{
	if (strcmp(n->owner, "LINUX") == 0) {
		/* follows its thread's NT_PRSTATUS */
		if (n->type == NT_ARM_TLS_TYPE && c->machine == EM_AARCH64 && c->n_threads > 0 &&
		    n->desc.len >= 8)
			c->threads[c->n_threads - 1].fs_base = get_u64(n->desc.p);
		return RC_OK;
	}
	if (strcmp(n->owner, "CORE") != 0)
		return RC_OK;
	switch (n->type) {
	case NT_PRSTATUS:
		return prstatus_parse(c, n->desc, err);
	case NT_PRPSINFO:
		prpsinfo_parse(c, n->desc);
		return RC_OK;
	case NT_SIGINFO:
		siginfo_parse(c, n->desc);
		return RC_OK;
	case NT_AUXV:
		auxv_parse(c, n->desc);
		return RC_OK;
	case NT_FILE:
		return elfcore_files_parse(c, n->desc, err);
	default:
		return RC_OK;
	}
}

/* Walks one PT_NOTE; a note that reaches past the data ends the walk, as a core cut short does. */
static int notes_walk(struct elfcore *c, Elf_Data *data, struct err *err)
{
	size_t off = 0, next, name_off, desc_off;
	GElf_Nhdr nh;

	while ((next = gelf_getnote(data, off, &nh, &name_off, &desc_off)) > 0) {
		struct elfcore_note n = { .type = nh.n_type };
		const char *base = data->d_buf;
		int rc;

		off = next;
		if (nh.n_namesz == 0 || name_off > data->d_size ||
		    nh.n_namesz > data->d_size - name_off || desc_off > data->d_size ||
		    nh.n_descsz > data->d_size - desc_off ||
		    base[name_off + nh.n_namesz - 1] != '\0')
			continue;
		n.owner = base + name_off;
		n.desc = span_make(base + desc_off, nh.n_descsz);
		rc = note_parse(c, &n, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

int elfcore_notes_load(struct elfcore *c, Elf *elf, size_t n_phdrs, struct err *err)
{
	uint64_t total = 0;

	for (size_t i = 0; i < n_phdrs; i++) {
		GElf_Phdr ph;
		Elf_Data *data;
		uint64_t end, len;
		int rc;

		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_NOTE || ph.p_filesz == 0)
			continue;
		len = ph.p_filesz;
		if (__builtin_add_overflow(ph.p_offset, len, &end) || end > c->info.size) {
			c->info.truncated = true;
			len = ph.p_offset < c->info.size ? c->info.size - ph.p_offset : 0;
		}
		if (__builtin_add_overflow(total, len, &total) || total > LIMIT_NOTE_BYTES)
			return err_set(err, RC_TOOBIG, "%s: too many notes", c->name);
		data = len ? elf_getdata_rawchunk(elf, (int64_t)ph.p_offset, (size_t)len,
						  ELF_T_NHDR)
			   : NULL;
		if (!data)
			continue;
		rc = notes_walk(c, data, err);
		if (rc != RC_OK)
			return rc;
	}
	if (c->n_threads == 0)
		return err_set(err, RC_FORMAT, "%s: a core without threads", c->name);
	return RC_OK;
}
