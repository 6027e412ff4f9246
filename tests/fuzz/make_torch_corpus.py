#!/usr/bin/env python3
"""Write the named samples of tests/fuzz/corpus/torch: python3 tests/fuzz/make_torch_corpus.py

Small files of PyTorch's formats, most of them hostile. tests/store/test_torch_hostile.c knows the
message that each must give. Needs no PyTorch: the formats are spelled out here.
"""
import os
import struct
import zlib

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "torch")

MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
VERSION = b"\x80\x02M\xe9\x03."
SYSTEM = b"\x80\x02}(X\x0d\x00\x00\x00little_endian\x88u."
PROLOGUE = MAGIC + VERSION + SYSTEM
TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n"
ORDERED = b"ccollections\nOrderedDict\n"
FLOATS = struct.pack("<4f", 1, 2, 3, 4)


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value):
    if abs(value) < 2**31:
        return b"J" + struct.pack("<i", value)
    return b"\x8a\x08" + struct.pack("<q", value)


def numbers(values):
    return b"(" + b"".join(map(number, values)) + b"t"


def storage(key="0", kind="Float", count=4, view=b""):
    return b"(" + text("storage") + b"ctorch\n" + kind.encode() + b"Storage\n" + text(key) + \
        text("cpu") + number(count) + view + b"tQ"


def tensor(source=None, offset=0, shape=(4,), stride=(1,), extra=b""):
    return TENSOR + b"(" + (source or storage()) + number(offset) + numbers(shape) + \
        numbers(stride) + b"\x89" + ORDERED + b")R" + extra + b"tR"


def state(*entries):
    return b"\x80\x02}(" + b"".join(text(n) + t for n, t in entries) + b"u."


def legacy(pickle, storages=((b"0", 4, FLOATS),)):
    keys = b"\x80\x02](" + b"".join(text(k.decode()) for k, _, _ in storages) + b"e."
    data = b"".join(struct.pack("<q", count) + data for _, count, data in storages)
    return PROLOGUE + pickle + keys + data


def a(value):
    """A legacy file with the one tensor "a"."""
    return legacy(state(("a", value)))


def run(code):
    """A legacy file whose object's pickle is this code."""
    return PROLOGUE + b"\x80\x02" + code


class Zip:
    """A zip archive whose fields can be set to anything."""

    def __init__(self, *records):
        self.records = list(records)

    def local(self, name, data, **fields):
        f = dict(crc=zlib.crc32(data), size=len(data), method=0, flags=0, local_name=name, extra=b"")
        f.update(fields)
        return b"PK\3\4" + struct.pack("<HHHHHIIIHH", 20, f["flags"], f["method"], 0, 33, f["crc"],
                                       f["size"], f["size"], len(f["local_name"]),
                                       len(f["extra"])) + f["local_name"] + f["extra"] + data

    def central(self, name, data, at, **fields):
        f = dict(crc=zlib.crc32(data), size=len(data), stored=None, method=0, flags=0, extra=b"",
                 place=at)
        f.update(fields)
        stored = f["size"] if f["stored"] is None else f["stored"]
        return b"PK\1\2" + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, f["flags"], f["method"], 0, 33,
                                       f["crc"], stored, f["size"], len(name), len(f["extra"]), 0,
                                       0, 0, 0, f["place"]) + name + f["extra"]

    def build(self, end=None, zip64=None, comment=b""):
        body, directory = b"", b""
        for name, data, *rest in self.records:
            local, central = (rest + [{}, {}])[:2]
            directory += self.central(name, data, len(body), **central)
            body += self.local(name, data, **local)
        f = dict(count=len(self.records), size=len(directory), begin=len(body))
        if zip64 is not None:
            g = dict(f, place=len(body) + len(directory))
            g.update(zip64)
            directory += b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 20, 20, 0, 0, g["count"],
                                                 g["count"], g["size"], g["begin"])
            directory += b"PK\6\7" + struct.pack("<IQI", 0, g["place"], 1)
        f.update(end or {})
        return body + directory + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, f["count"], f["count"],
                                                          f["size"], f["begin"],
                                                          len(comment)) + comment


PICKLE = (b"s/data.pkl", state(("a", tensor())))
DATA = (b"s/data/0", FLOATS)
FULL = 0xFFFFFFFF


def pickles():
    """Files of the legacy format, by name."""
    yield "legacy", a(tensor())
    yield "legacy_view", a(tensor(storage(view=b"(" + text("1") + number(1) + number(2) + b"t"),
                                  shape=(2,)))
    pair = b"](U\x01a" + tensor() + b"e"
    yield "legacy_pairs", legacy(b"\x80\x02" + ORDERED + b"](" + pair + b"e\x85R.")
    # version 0.1.10: objects made of nothing, then given their attributes
    data = b"ctorch\nFloatTensor\n)R(" + storage() + number(0) + numbers((4,)) + \
        numbers((1,)) + b"tb"
    parameter = b"ctorch.nn.parameter\nParameter\n)\x81(" + data + b"N" + ORDERED + \
        b")R\x88\x89tb"
    yield "legacy_objects", legacy(state(("a", parameter), ("b", data)))
    yield "parameter_cycle", legacy(state(
        ("a", b"ctorch.nn.parameter\nParameter\n)\x81q\x00(h\x00tb")), ())
    yield "tensor_of_nothing", legacy(state(("a", b"ctorch\nFloatTensor\n)R")), ())
    yield "global_posix_system", run(b"cposix\nsystem\n" + text("id") + b"\x85R.")
    yield "global_eval", run(b"c__builtin__\neval\n" + text("1") + b"\x85R.")
    yield "global_getattr", run(b"cbuiltins\ngetattr\n)R.")
    yield "stack_global_system", run(b"\x8c\x02os\x8c\x06system\x93" + text("id") + b"\x85R.")
    yield "stack_global_numbers", run(b"K\x01K\x02\x93.")
    yield "global_no_newline", run(b"ctorch")
    yield "global_long", run(b"c" + b"m" * 300 + b"\n" + b"n" * 300 + b"\n.")
    yield "inst", run(b"(S'id'\niposix\nsystem\n.")
    yield "inst_first", run(b"(iposix\nsystem\n.")
    yield "obj", run(b"(cposix\nsystem\no.")
    yield "obj_allowed", run(b"(" + ORDERED + b"o.")
    yield "ext1", run(b"\x82\x01.")
    yield "ext4", run(b"\x84\x01\x00\x00\x00.")
    yield "persid", run(b"Pid\n.")
    yield "newobj_ex", run(b"\x92.")
    yield "unknown_opcode", run(b"\xff.")
    yield "protocol9", PROLOGUE + b"\x80\x09N."
    yield "frame_long", run(b"\x95" + struct.pack("<Q", 2**63) + b"N.")
    yield "memo_far", run(b"Nr" + struct.pack("<I", 2**31) + b".")
    yield "memo_empty", run(b"h\x05.")
    yield "memo_nothing", run(b"q\x00.")
    yield "text_long", run(b"X" + struct.pack("<I", 2**32 - 1) + b"a.")
    yield "text_longer", run(b"\x8d" + struct.pack("<Q", 2**64 - 1) + b"a.")
    yield "stack_empty", run(b".")
    yield "tuple_empty_stack", run(b"\x87.")
    yield "mark_missing", run(b"t.")
    yield "below_mark", run(b"](Na.")
    yield "append_to_dict", run(b"}Na.")
    yield "set_on_list", run(b"]NNs.")
    yield "set_odd", run(b"}(Nu.")
    yield "dict_odd", run(b"(Nd.")
    yield "reduce_constant", run(b"ctorch\nfloat32\n)R.")
    yield "reduce_number", run(b"K\x01)R.")
    yield "reduce_no_tuple", run(ORDERED + b"NR.")
    yield "reduce_no_arguments", run(b"ctorch\nSize\n)R.")
    yield "build_on_number", run(b"K\x01}b.")
    yield "pairs_wrong", run(ORDERED + b"](Ne\x85R.")
    yield "pairs_again", run(ORDERED + b"q\x00](" + b"NN\x86" * 20 + b"e\x85q\x01R" +
                             b"h\x00h\x01R" * 60 + b".")
    yield "cycle", legacy(b"\x80\x02}q\x00(" + text("a") + tensor() + text("me") + b"h\x00" +
                          text("state_dict") + b"h\x00u.")
    yield "cycle_list", legacy(b"\x80\x02]q\x00h\x00a.", ())
    yield "root_number", legacy(b"\x80\x02K\x01.", ())
    yield "no_tensors", legacy(b"\x80\x02}.", ())
    yield "magic_wrong", MAGIC.replace(b"P", b"Q") + VERSION + SYSTEM
    yield "magic_alone", MAGIC
    yield "version_wrong", MAGIC + b"\x80\x02M\xea\x03." + SYSTEM
    yield "system_wrong", MAGIC + VERSION + b"\x80\x02N."
    yield "system_big_endian", MAGIC + VERSION + SYSTEM.replace(b"\x88", b"\x89")


def tensors():
    """Legacy files whose tensors are not what they claim."""
    yield "id_no_tuple", a(tensor(b"NQ"))
    yield "id_module", a(tensor(b"(" + text("module") + b"NNNNtQ"))
    yield "id_type", a(tensor(b"(" + text("storage") + b"ctorch\nfloat32\n" + text("0") +
                              text("cpu") + b"K\x04tQ"))
    yield "id_key", a(tensor(b"(" + text("storage") + b"ctorch\nFloatStorage\nN" + text("cpu") +
                             b"K\x04tQ"))
    yield "storage_huge", legacy(state(("a", tensor(storage(count=2**60)))),
                                 ((b"0", 2**60, FLOATS),))
    yield "storage_huger", a(tensor(storage(count=2**62)))
    yield "storage_negative", a(tensor(storage(count=-1)))
    yield "storage_differs", legacy(state(("a", tensor())), ((b"0", 5, FLOATS),))
    yield "storage_missing", legacy(state(("a", tensor())), ())
    yield "storage_twice", legacy(state(("a", tensor())), ((b"0", 4, FLOATS), (b"0", 4, FLOATS)))
    yield "storage_stray", legacy(state(("a", tensor())), ((b"7", 4, FLOATS),))
    yield "storage_two_ways", a(TENSOR + b"(" + storage() + storage(kind="Half") + b"tR")
    yield "storage_cut", legacy(state(("a", tensor())))[:-1]
    yield "keys_no_list", PROLOGUE + state(("a", tensor())) + b"\x80\x02N."
    yield "view_beyond", a(tensor(storage(view=b"(" + text("1") + number(3) + number(2) + b"t")))
    yield "view_wrong", a(tensor(storage(view=text("x"))))
    yield "tensor_beyond", a(tensor(shape=(5,)))
    yield "tensor_offset", a(tensor(offset=1))
    yield "tensor_offset_huge", a(tensor(offset=2**63 - 1))
    yield "tensor_offset_negative", a(tensor(offset=-1))
    yield "tensor_stride_huge", a(tensor(shape=(3,), stride=(2**63 - 1,)))
    yield "tensor_stride_wraps", a(tensor(shape=(5, 2), stride=(2**62, 1)))
    yield "tensor_stride_negative", a(tensor(stride=(-1,)))
    yield "tensor_shape_huge", a(tensor(shape=(2**62, 4), stride=(0, 0)))
    yield "tensor_shape_huger", a(tensor(shape=(2**62, 2**62), stride=(0, 0)))
    yield "tensor_shape_negative", a(tensor(shape=(-4,)))
    yield "tensor_expanded", a(tensor(shape=(100, 4), stride=(0, 1)))
    yield "tensor_expanded_far", a(tensor(shape=(2**40, 4), stride=(0, 1)))
    yield "tensor_dims", a(tensor(shape=(1,) * 9, stride=(1,) * 9))
    yield "tensor_strides", a(tensor(shape=(2, 2), stride=(1,)))
    yield "tensor_no_shape", a(TENSOR + b"(" + storage() + b"K\x00NNtR")
    yield "tensor_no_arguments", legacy(state(("a", TENSOR + b")R")), ())
    yield "tensor_negative_view", a(tensor(extra=b"}(" + text("neg") + b"\x88u"))
    yield "tensor_v3_type", a(tensor(extra=text("float32")).replace(b"tensor_v2", b"tensor_v3"))
    third = tensor(storage(kind="Byte", count=4), shape=(2,), extra=b"ctorch\nfloat16\n")
    yield "tensor_v3", legacy(state(("a", third.replace(b"tensor_v2", b"tensor_v3"))),
                              ((b"0", 4, b"\x00\x3c\x00\xc0"),))
    yield "tensor_types", legacy(
        state(("d", tensor(storage("1", "Double", 2), shape=(2,))), ("h", tensor(
            storage("2", "Half", 2), shape=(2,))), ("b", tensor(storage("3", "BFloat16", 2),
                                                                shape=(2,))),
              ("i", tensor(storage("4", "Long", 1), shape=(), stride=()))),
        ((b"1", 2, struct.pack("<2d", 1, 1e300)), (b"2", 2, b"\x00\x3c\x01\x00"),
         (b"3", 2, b"\x80\x3f\xc0\x7f"), (b"4", 1, bytes(8))))
    thousand = tensor(storage(count=1000), shape=(1000,)) + b"q\x00" # and again and again
    yield "tensors_share", legacy(state(("a00", thousand), *(
        ("a%02d" % i, b"h\x00") for i in range(1, 40))), ((b"0", 1000, bytes(4000)),))
    yield "name_twice", legacy(state(("a", tensor()), ("a", tensor())))
    yield "name_long", legacy(state(("a" * 1025, tensor())))
    yield "key_long", a(tensor(storage("0" * 1025)))
    yield "name_nul", legacy(state(("a\0b", tensor())))
    yield "name_stripped_twice", legacy(state(("module.a", tensor()), ("module.a", tensor())))


def zips():
    """Archives."""
    good = Zip(PICKLE, (b"s/byteorder", b"little"), DATA, (b"s/version", b"3\n"))
    yield "zip", good.build()
    # without checksums, so that a fuzzer's changes are not all found at once
    unchecked = ({}, dict(crc=0))
    yield "zip_unchecked", Zip(PICKLE + unchecked, (b"s/byteorder", b"little") + unchecked,
                               DATA + unchecked).build()
    types = state(("module.h", tensor(storage("0", "Half", 2), shape=(2,))),
                  ("module.d", tensor(storage("1", "Double", 2), 1, (1, 1), (1, 1))),
                  ("module.i", tensor(storage("2", "Int", 1), shape=(), stride=())))
    yield "zip_types", Zip((b"s/data.pkl", types) + unchecked,
                           (b"s/data/0", b"\x00\x3c\x01\x00") + unchecked,
                           (b"s/data/1", struct.pack("<2d", 0, 1)) + unchecked,
                           (b"s/data/2", bytes(4)) + unchecked).build()
    yield "zip_comment", good.build(comment=b"remark")
    yield "zip64", good.build(zip64={})
    extra64 = struct.pack("<HHQQ", 1, 16, 16, 16)
    yield "zip64_sizes", Zip(PICKLE, DATA + ({}, dict(size=FULL, extra=extra64))).build(
        zip64={}, end=dict(count=0xFFFF, size=FULL, begin=FULL))
    yield "zip64_sizes_missing", Zip(PICKLE, DATA + ({}, dict(size=FULL))).build()
    yield "zip64_sizes_short", Zip(PICKLE, DATA + ({}, dict(
        size=FULL, extra=struct.pack("<HHQ", 1, 16, 16)))).build()
    yield "zip64_sizes_huge", Zip(PICKLE, DATA + ({}, dict(
        size=FULL, extra=struct.pack("<HHQQ", 1, 16, 2**63, 2**63)))).build()
    yield "zip64_place", good.build(zip64=dict(place=2**64 - 1))
    yield "zip64_differs", good.build(zip64=dict(count=3))
    yield "zip64_huge", good.build(zip64=dict(count=2**60, size=2**63, begin=2**63),
                                   end=dict(count=0xFFFF, size=FULL, begin=FULL))
    yield "zip_cut", good.build()[:-1]
    yield "zip_no_end", b"PK\3\4" + bytes(60)
    yield "zip_tiny", b"PK\3\4"
    yield "zip_without_entries", b"PK\3\4" + Zip().build()
    yield "zip_many", good.build(end=dict(count=60000))
    yield "zip_one_more", good.build(end=dict(count=5))
    yield "zip_directory_outside", good.build(end=dict(begin=FULL - 1))
    yield "zip_directory_long", good.build(end=dict(size=FULL - 1))
    yield "zip_directory_elsewhere", good.build(end=dict(begin=0))
    yield "zip_entry_outside", Zip(PICKLE, DATA + ({}, dict(place=FULL - 1))).build()
    yield "zip_entry_elsewhere", Zip(PICKLE, DATA + ({}, dict(place=1))).build()
    yield "zip_entry_long", Zip(PICKLE, DATA + ({}, dict(size=1 << 20))).build()
    yield "zip_entry_sizes", Zip(PICKLE, DATA + ({}, dict(stored=8))).build()
    yield "zip_entry_twice", Zip(PICKLE, DATA, DATA).build()
    yield "zip_entry_same_place", Zip(PICKLE, DATA, DATA + ({}, dict(place=0))).build()
    yield "zip_entry_renamed", Zip(PICKLE, DATA + (dict(local_name=b"s/data/1"),)).build()
    yield "zip_entry_padding", Zip(PICKLE, DATA + (dict(extra=b"FB\x02\x00ZZ"),)).build()
    inner = Zip((b"s/data/1", FLOATS)).build()[:46 + 8]
    yield "zip_overlap", Zip(PICKLE, (b"s/data/0", inner), (b"s/data/1", FLOATS, {}, dict(
        place=30 + len(PICKLE[0]) + len(PICKLE[1]) + 30 + 8))).build()
    for name, path in (("up", b"s/../x"), ("root", b"/etc/x"), ("nul", b"s/a\0b"), ("empty", b"")):
        yield "zip_name_" + name, Zip(PICKLE, DATA, (path, b"")).build()
    yield "zip_name_dots", Zip(PICKLE, DATA, (b"s/a..b/.../x", b"")).build()
    yield "zip_no_folder", Zip((b"data.pkl", PICKLE[1])).build()
    yield "zip_no_pickle", Zip(DATA).build()
    yield "zip_no_data", Zip(PICKLE).build()
    yield "zip_other_folder", Zip(PICKLE, (b"t/data/0", FLOATS)).build()
    yield "zip_data_short", Zip(PICKLE, (b"s/data/0", FLOATS[:8])).build()
    yield "zip_crc", Zip(PICKLE, DATA + ({}, dict(crc=1))).build()
    yield "zip_crc_none", Zip(PICKLE, DATA + ({}, dict(crc=0))).build()
    yield "zip_big_endian", Zip(PICKLE, (b"s/byteorder", b"big"), DATA).build()
    packed = zlib.compress(bytes(1 << 20), 9)[2:-4]
    yield "zip_bomb", Zip((b"s/data.pkl", packed, dict(method=8), dict(
        method=8, size=FULL - 1, stored=len(packed)))).build()
    yield "zip_encrypted", Zip(PICKLE, DATA + ({}, dict(flags=1))).build()
    yield "zip_script", Zip(PICKLE, DATA, (b"s/constants.pkl", b"\x80\x02).")).build()
    yield "zip_system", Zip((b"s/data.pkl", b"\x80\x02cos\nsystem\n" + text("id") + b"\x85R.")
                            ).build()
    yield "zip_key_up", Zip((b"s/data.pkl", state(("a", tensor(storage("../x")))))).build()
    yield "zip_key_long", Zip((b"s/data.pkl", state(("a", tensor(storage("k" * 2000)))))).build()


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for group in (pickles, tensors, zips):
        for name, data in group():
            with open(os.path.join(FOLDER, name), "wb") as file:
                file.write(data)


main()
