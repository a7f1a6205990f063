/* The decoder of rtnetlink's link messages. Every length is checked before it is believed, every
 * number is copied out since datagrams promise no alignment, and what is not known is skipped,
 * because newer kernels add attributes. */
#include "nl_decode.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#define ALIGN4(size) (((size) + 3u) & ~3u)

enum form { SKIP, U8, U32, NAME, TEXT, BYTES, NEST };

/* How an attribute is read and where it goes in a ps_link. */
struct rule {
    enum form form;
    uint32_t room;    /* bytes of the field */
    uint32_t at;      /* the field */
    uint32_t size_at; /* NAME, TEXT, BYTES: the field of its size */
    uint32_t has;
    const struct rule *inner; /* NEST */
    uint32_t inner_count;
};

#define FIELD(how, field, flag)                                                                    \
    {                                                                                              \
        .form = how, .room = sizeof(((struct ps_link *)0)->field),                                 \
        .at = offsetof(struct ps_link, field), .has = flag                                         \
    }
#define SIZED(how, field, flag)                                                                    \
    {                                                                                              \
        .form = how, .room = sizeof(((struct ps_link *)0)->field),                                 \
        .at = offsetof(struct ps_link, field), .size_at = offsetof(struct ps_link, field##_size),  \
        .has = flag                                                                                \
    }
#define COUNT(rules) (sizeof(rules) / sizeof((rules)[0]))

static const struct rule info_rules[] = {
    [IFLA_INFO_KIND] = SIZED(TEXT, kind, PS_HAS_KIND),
};

static const struct rule link_rules[] = {
    [IFLA_ADDRESS] = SIZED(BYTES, mac, PS_HAS_MAC),
    [IFLA_IFNAME] = SIZED(NAME, name, PS_HAS_NAME),
    [IFLA_MTU] = FIELD(U32, mtu, PS_HAS_MTU),
    [IFLA_MASTER] = FIELD(U32, master, PS_HAS_MASTER),
    [IFLA_OPERSTATE] = FIELD(U8, operstate, PS_HAS_OPERSTATE),
    [IFLA_LINKINFO] = {.form = NEST, .inner = info_rules, .inner_count = COUNT(info_rules)},
    [IFLA_CARRIER] = FIELD(U8, carrier, PS_HAS_CARRIER),
};

static bool read_attributes(const struct rule *rules, uint32_t count, const uint8_t *bytes,
                            uint32_t size, struct ps_link *link);

static bool read_attribute(const struct rule *rule, const uint8_t *value, uint32_t size,
                           struct ps_link *link)
{
    uint8_t *field = (uint8_t *)link + rule->at;
    uint8_t *field_size = (uint8_t *)link + rule->size_at;
    switch (rule->form) {
    case SKIP:
        return true;
    case NEST:
        return read_attributes(rule->inner, rule->inner_count, value, size, link);
    case U8:
    case U32:
        if (size < rule->room)
            return false;
        memcpy(field, value, rule->room);
        break;
    case NAME:
    case TEXT:
        size = (uint32_t)strnlen((const char *)value, size);
        if (rule->form == NAME && (size == 0 || size >= rule->room))
            return false;
        if (size > rule->room)
            size = rule->room;
        memset(field, 0, rule->room);
        memcpy(field, value, size);
        *field_size = (uint8_t)size;
        break;
    default: /* BYTES */
        if (size > rule->room)
            return false;
        memcpy(field, value, size);
        *field_size = (uint8_t)size;
        break;
    }
    link->present |= rule->has;
    return true;
}

static bool read_attributes(const struct rule *rules, uint32_t count, const uint8_t *bytes,
                            uint32_t size, struct ps_link *link)
{
    while (size >= sizeof(struct rtattr)) {
        struct rtattr attribute;
        memcpy(&attribute, bytes, sizeof(attribute));
        uint32_t length = attribute.rta_len;
        if (length < sizeof(attribute) || length > size)
            return false;
        uint32_t type = attribute.rta_type & NLA_TYPE_MASK;
        if (type < count && !read_attribute(&rules[type], bytes + sizeof(attribute),
                                            length - (uint32_t)sizeof(attribute), link))
            return false;
        if (ALIGN4(length) >= size)
            return true;
        bytes += ALIGN4(length);
        size -= ALIGN4(length);
    }
    return true;
}

static uint32_t put(struct ps_nl_decoder *decoder, const struct ps_nl_input *input,
                    struct ps_link *link, uint32_t type, uint32_t value)
{
    link->type = type;
    link->value = value;
    link->seconds = input->seconds;
    link->nanoseconds = input->nanoseconds;
    ps_nl_add(&decoder->records, 1);
    return 1;
}

static uint32_t mark(struct ps_nl_decoder *decoder, const struct ps_nl_input *input,
                     struct ps_link *link, uint32_t type, uint32_t value)
{
    memset(link, 0, sizeof(*link));
    return put(decoder, input, link, type, value);
}

static uint32_t mark_lost(struct ps_nl_decoder *decoder, const struct ps_nl_input *input,
                          struct ps_link *link, uint32_t reason)
{
    ps_nl_add(&decoder->lost, 1);
    return mark(decoder, input, link, PS_LOST, reason);
}

/* Ends the dump under way. What comes of it later has a number that nobody waits for. */
static uint32_t end_dump(struct ps_nl_decoder *decoder, const struct ps_nl_input *input,
                         struct ps_link *link, uint32_t type, uint32_t value)
{
    decoder->dump = 0;
    if (type != PS_DUMP_END)
        ps_nl_add(&decoder->interruptions, 1);
    return mark(decoder, input, link, type, value);
}

static uint32_t ignore(struct ps_nl_decoder *decoder)
{
    ps_nl_add(&decoder->ignored, 1);
    return 0;
}

/* A message, its header taken off. */
struct message {
    struct nlmsghdr header;
    const uint8_t *body;
    uint32_t size;
};

/* What cannot be read may have told of anything: a loss, or a dump that is not complete. */
static uint32_t malformed(struct ps_nl_decoder *decoder, const struct ps_nl_input *input,
                          struct ps_link *link)
{
    ps_nl_add(&decoder->malformed, 1);
    if (input->kind == PS_FRAME_EVENT)
        return mark_lost(decoder, input, link, PS_LOSS_MALFORMED);
    decoder->broken = true;
    return 0;
}

static uint32_t decode_link(struct ps_nl_decoder *decoder, const struct ps_nl_input *input,
                            const struct message *message, struct ps_link *link)
{
    struct ifinfomsg info;
    if (message->size < sizeof(info))
        return malformed(decoder, input, link);
    memcpy(&info, message->body, sizeof(info));
    /* Bridges announce their ports under their own family. Such a message lacks attributes, and
     * its DELLINK says that a port left the bridge, not that the link is gone. */
    if (info.ifi_family != AF_UNSPEC)
        return ignore(decoder);
    memset(link, 0, sizeof(*link));
    link->family = info.ifi_family;
    link->device = info.ifi_type;
    link->ifindex = (uint32_t)info.ifi_index;
    link->flags = info.ifi_flags;
    link->change = info.ifi_change;
    if (info.ifi_index <= 0 ||
        !read_attributes(link_rules, COUNT(link_rules), message->body + sizeof(info),
                         message->size - (uint32_t)sizeof(info), link) ||
        !(link->present & PS_HAS_NAME))
        return malformed(decoder, input, link);
    if (message->header.nlmsg_type == RTM_DELLINK) {
        if (link->present & PS_HAS_MASTER)
            return ignore(decoder);
        return put(decoder, input, link, PS_LINK_GONE, 0);
    }
    bool dumped = input->kind == PS_FRAME_DUMP;
    return put(decoder, input, link, dumped ? PS_LINK_DUMPED : PS_LINK_SET, 0);
}

static int32_t read_code(const struct message *message)
{
    int32_t code = 0;
    if (message->size >= sizeof(code))
        memcpy(&code, message->body, sizeof(code));
    return code;
}

uint32_t ps_nl_words(const uint8_t *body, uint32_t size, uint32_t at, void *ret_words,
                     uint32_t room)
{
    while (at < size && size - at >= sizeof(struct nlattr)) {
        struct nlattr attribute;
        memcpy(&attribute, body + at, sizeof(attribute));
        uint32_t length = attribute.nla_len;
        if (length < sizeof(attribute) || length > size - at)
            return 0;
        if ((attribute.nla_type & NLA_TYPE_MASK) == NLMSGERR_ATTR_MSG) {
            const uint8_t *words = body + at + sizeof(attribute);
            uint32_t words_size =
                (uint32_t)strnlen((const char *)words, length - sizeof(attribute));
            if (words_size > room)
                words_size = room;
            memcpy(ret_words, words, words_size);
            return words_size;
        }
        at += ALIGN4(length);
    }
    return 0;
}

uint32_t ps_nl_error_attributes(const struct nlmsghdr *header, const uint8_t *body, uint32_t size)
{
    struct nlmsgerr error;
    if (!(header->nlmsg_flags & NLM_F_ACK_TLVS) || size < sizeof(error))
        return size;
    memcpy(&error, body, sizeof(error));
    bool capped = header->nlmsg_flags & NLM_F_CAPPED;
    uint32_t echoed = capped ? (uint32_t)sizeof(error.msg) : error.msg.nlmsg_len;
    return echoed <= size ? (uint32_t)sizeof(error.error) + ALIGN4(echoed) : size;
}

static void keep_words(struct ps_nl_decoder *decoder, const struct message *message, uint32_t at)
{
    decoder->error_size =
        ps_nl_words(message->body, message->size, at, decoder->error, sizeof(decoder->error));
}

static uint32_t fail_dump(struct ps_nl_decoder *decoder, const struct ps_nl_input *input,
                          struct ps_link *link, int32_t code)
{
    uint32_t error = code < 0 && code >= -4095 ? (uint32_t)-code : EPROTO;
    return end_dump(decoder, input, link, PS_DUMP_FAILED, error);
}

static uint32_t decode_done(struct ps_nl_decoder *decoder, const struct ps_nl_input *input,
                            const struct message *message, struct ps_link *link)
{
    int32_t code = read_code(message);
    if (code != 0) {
        bool has_words = message->header.nlmsg_flags & NLM_F_ACK_TLVS;
        keep_words(decoder, message, has_words ? sizeof(code) : message->size);
        return fail_dump(decoder, input, link, code);
    }
    if (decoder->broken)
        return end_dump(decoder, input, link, PS_DUMP_FAILED, EBADMSG);
    uint32_t type = decoder->interrupted ? PS_DUMP_INTERRUPTED : PS_DUMP_END;
    return end_dump(decoder, input, link, type, 0);
}

static uint32_t decode_error(struct ps_nl_decoder *decoder, const struct ps_nl_input *input,
                             const struct message *message, struct ps_link *link)
{
    struct nlmsgerr error;
    if (message->size < sizeof(error))
        return fail_dump(decoder, input, link, -EBADMSG);
    memcpy(&error, message->body, sizeof(error));
    if (error.error == 0)
        return ignore(decoder);
    keep_words(decoder, message,
               ps_nl_error_attributes(&message->header, message->body, message->size));
    return fail_dump(decoder, input, link, error.error);
}

static uint32_t decode_dump(struct ps_nl_decoder *decoder, const struct ps_nl_input *input,
                            const struct message *message, struct ps_link *link)
{
    if (decoder->dump == 0 || message->header.nlmsg_seq != decoder->dump)
        return ignore(decoder);
    if (message->header.nlmsg_flags & NLM_F_DUMP_INTR)
        decoder->interrupted = true;
    switch (message->header.nlmsg_type) {
    case RTM_NEWLINK:
        return decode_link(decoder, input, message, link);
    case NLMSG_DONE:
        return decode_done(decoder, input, message, link);
    case NLMSG_ERROR:
        return decode_error(decoder, input, message, link);
    case NLMSG_OVERRUN:
        return fail_dump(decoder, input, link, -ENOBUFS);
    default:
        return ignore(decoder);
    }
}

static uint32_t decode_event(struct ps_nl_decoder *decoder, const struct ps_nl_input *input,
                             const struct message *message, struct ps_link *link)
{
    switch (message->header.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        return decode_link(decoder, input, message, link);
    case NLMSG_OVERRUN:
        return mark_lost(decoder, input, link, PS_LOSS_MESSAGE);
    default:
        return ignore(decoder);
    }
}

/* The rest of a datagram is of no use: its lengths are wrong, or bytes lack. The end of a dump may
 * have stood there, so the dump ends here. */
static uint32_t give_up(struct ps_nl_decoder *decoder, struct ps_nl_input *input,
                        struct ps_link *link, uint32_t reason, int32_t code)
{
    input->done = true;
    ps_nl_add(&decoder->malformed, 1);
    if (input->kind == PS_FRAME_EVENT)
        return mark_lost(decoder, input, link, reason);
    return decoder->dump != 0 ? fail_dump(decoder, input, link, code) : 0;
}

static uint32_t decode_message(struct ps_nl_decoder *decoder, struct ps_nl_input *input,
                               struct ps_link *link)
{
    if (input->flags & PS_FRAME_TRUNCATED)
        return give_up(decoder, input, link, PS_LOSS_TRUNCATED, -EMSGSIZE);
    uint32_t left = input->size - input->at;
    struct message message;
    if (left < sizeof(message.header)) {
        input->done = true;
        return 0;
    }
    memcpy(&message.header, input->bytes + input->at, sizeof(message.header));
    uint32_t length = message.header.nlmsg_len;
    if (length < sizeof(message.header) || length > left)
        return give_up(decoder, input, link, PS_LOSS_MALFORMED, -EBADMSG);
    message.body = input->bytes + input->at + sizeof(message.header);
    message.size = length - (uint32_t)sizeof(message.header);
    input->at += ALIGN4(length) < left ? ALIGN4(length) : left;
    ps_nl_add(&decoder->messages, 1);
    return input->kind == PS_FRAME_EVENT ? decode_event(decoder, input, &message, link)
                                         : decode_dump(decoder, input, &message, link);
}

static uint32_t begin_dump(struct ps_nl_decoder *decoder, const struct ps_nl_input *input,
                           struct ps_link *link)
{
    decoder->dump = input->value;
    decoder->interrupted = false;
    decoder->broken = false;
    decoder->error_size = 0;
    return mark(decoder, input, link, PS_DUMP_BEGIN, 0);
}

uint32_t ps_nl_decode(struct ps_nl_decoder *decoder, struct ps_nl_input *input,
                      struct ps_link *ret_links, uint32_t capacity)
{
    uint32_t count = 0;
    if (input->kind == PS_FRAME_EVENT || input->kind == PS_FRAME_DUMP) {
        if (input->at == 0)
            ps_nl_add(&decoder->datagrams, 1);
        while (!input->done && count < capacity)
            count += decode_message(decoder, input, &ret_links[count]);
        return count;
    }
    input->done = true;
    if (input->kind == PS_FRAME_BEGIN)
        return begin_dump(decoder, input, ret_links);
    if (input->kind == PS_FRAME_OVERRUN)
        return mark_lost(decoder, input, ret_links, input->value);
    /* PS_FRAME_FAILED; after the end of the dump it is nobody's. */
    return decoder->dump != 0 ? fail_dump(decoder, input, ret_links, -(int32_t)input->value) : 0;
}
