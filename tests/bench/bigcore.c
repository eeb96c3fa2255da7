/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bigcore FILE SIZE DATA: writes a sparse core of SIZE MiB, of which DATA MiB are data as a busy
 * server's memory has it: objects with pointers, tables, SIP messages, numbers, what was read from
 * the network, pages that are nearly empty. The same bytes each time.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096
#define BASE 0x7f0000000000u
#define RUN  256 /* pages of data between two holes */

static uint64_t state = 0x9e3779b97f4a7c15u;

static uint32_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}

static const char *const words[] = {
	"channel",
	"pjsip_endpoint",
	"bridge_thread",
	"res_odbc.so",
	"exten => s,n,Dial",
	"peer_status",
	"/usr/lib/asterisk/modules/",
	"Transfer-Encoding",
	"application/sdp",
	"contact_acl",
	"timer_b_ms",
	"ulaw",
	"session refresh",
	"cdr_custom",
	"qualify_frequency",
	"no error",
};

static void put_u64(char *page, size_t at, uint64_t v)
{
	memcpy(page + at, &v, 8);
}

static void objects(char *page)
{
	for (size_t at = 0; at + 128 <= PAGE; at += 128) {
		put_u64(page, at + 8, 0x81);
		for (unsigned i = 2; i < 2 + rnd() % 5; i++)
			put_u64(page, at + i * 8, BASE + (rnd() & 0xfffffff0u));
		put_u64(page, at + 64, rnd() % 100);
		snprintf(page + at + 72, 56, "%s-%08x", words[rnd() % 16], rnd());
	}
}

static void messages(char *page)
{
	size_t at = 0;

	while (at + 400 < PAGE) {
		uint32_t a = rnd(), b = rnd();

		at += (size_t)snprintf(page + at, PAGE - at,
				       "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP "
				       "198.51.100.%u:5060;branch=z9hG4bK%08x\r\n"
				       "From: \"%s\" <sip:1555%07u@example.com>;tag=%x\r\nCall-ID: "
				       "%08x%08x@203.0.113.%u\r\n"
				       "CSeq: %u INVITE\r\nAuthorization: Digest username=\"u%u\", "
				       "response=\"%08x%08x%08x%08x\"\r\n"
				       "\r\n",
				       a % 256, b, words[b % 16], a % 10000000, b, a, b, b % 256,
				       a % 999, a % 5000, a, b, a ^ b, a + b) +
		      1;
		at = (at + 511) & ~(size_t)511;
	}
}

static void tables(char *page)
{
	for (size_t at = 0; at < PAGE; at += 8)
		put_u64(page, at, at % 24 ? BASE + (rnd() & 0xfffffff0u) : 0);
}

static void numbers(char *page)
{
	for (size_t at = 0; at < PAGE; at += 8) {
		double d = rnd() / 7.0;

		if (at & 64)
			put_u64(page, at, rnd() % 1000);
		else
			memcpy(page + at, &d, 8);
	}
}

static void noise(char *page)
{
	for (size_t at = 0; at < PAGE; at += 8)
		put_u64(page, at, (uint64_t)rnd() << 32 | rnd());
}

static void nearly_empty(char *page)
{
	for (unsigned i = 0; i < 12; i++)
		put_u64(page, (rnd() % (PAGE / 8)) * 8, rnd() % 2 ? BASE + rnd() : rnd() % 64);
}

static void fill(char *page, uint64_t number)
{
	static void (*const kinds[])(char *) = {
		objects, objects, objects,	tables,	      tables,  numbers,
		numbers, noise,	  nearly_empty, nearly_empty, objects, messages,
	};

	memset(page, 0, PAGE);
	/* pages of one sort come together */
	kinds[(number / 16 * 2654435761u >> 7) % 12](page);
}

/* Header, two program headers, one thread's notes. */
static size_t heads(char *page, uint64_t size)
{
	Elf64_Ehdr *eh = (Elf64_Ehdr *)(void *)page;
	Elf64_Phdr *ph = (Elf64_Phdr *)(void *)(page + sizeof(*eh));
	Elf64_Nhdr *nh = (Elf64_Nhdr *)(void *)(page + 512);
	size_t desc = 112 + 27 * 8 + 8;

	memset(page, 0, PAGE);
	memcpy(eh->e_ident, ELFMAG, SELFMAG);
	eh->e_ident[EI_CLASS] = ELFCLASS64;
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_ident[EI_VERSION] = EV_CURRENT;
	eh->e_type = ET_CORE;
	eh->e_machine = EM_X86_64;
	eh->e_version = EV_CURRENT;
	eh->e_phoff = eh->e_ehsize = sizeof(*eh);
	eh->e_phentsize = sizeof(*ph);
	eh->e_phnum = 2;
	ph[0] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = 512, .p_filesz = 20 + desc };
	ph[1] = (Elf64_Phdr){ .p_type = PT_LOAD,
			      .p_flags = PF_R | PF_W,
			      .p_offset = PAGE,
			      .p_vaddr = BASE,
			      .p_filesz = size,
			      .p_memsz = size };
	*nh = (Elf64_Nhdr){ .n_namesz = 5, .n_descsz = (uint32_t)desc, .n_type = NT_PRSTATUS };
	memcpy(page + 512 + 12, "CORE", 5);
	page[512 + 20 + 12] = 11;
	page[512 + 20 + 32] = 1;
	put_u64(page, 512 + 20 + 112 + 19 * 8, BASE + 4096);
	return PAGE;
}

int main(int argc, char **argv)
{
	uint64_t size = argc > 2 ? strtoull(argv[2], NULL, 10) << 20 : 0;
	uint64_t data = argc > 3 ? strtoull(argv[3], NULL, 10) << 20 : 0;
	uint64_t pages = data / PAGE, runs = (pages + RUN - 1) / RUN, step;
	char page[PAGE];
	int fd;

	if (argc < 4 || !size || data > size)
		return 2;
	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)(size + PAGE)) < 0)
		return 1;
	if (pwrite(fd, page, heads(page, size), 0) != PAGE)
		return 1;
	step = runs ? size / PAGE / runs : 1;
	for (uint64_t n = 0; n < pages; n++) {
		uint64_t at = n / RUN * step + n % RUN;

		fill(page, n);
		if (pwrite(fd, page, PAGE, (off_t)(PAGE + at * PAGE)) != PAGE)
			return 1;
	}
	return close(fd) < 0;
}
