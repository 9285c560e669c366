"""Example frames with known values, written out byte for byte (they share no code with what they test), and short
names for what a decoder says of them.
"""

from drivers.linky.frame import Decoder, End
from drivers.linky.group import Group, Rejected

H1 = (
    b"\x02\nADCO 061961234567 I\r\nOPTARIF HC.. <\r\nISOUSC 45 ?\r\nHCHC 012345678 *\r\nHCHP 023456789 ?\r\n"
    b"PTEC HP..  \r\nIINST 009  \r\nIMAX 090 H\r\nPAPP 02120 &\r\nHHPHC A ,\r\nMOTDETAT 000000 B\r\x03"
)
H2_SHORT = b"\x02\nADIR2 032 '\r\nADCO 061976234567 O\r\nIINST1 004 L\r\nIINST2 032 N\r\nIINST3 000 J\r\x03"
H3_EJP = (
    b'\x02\nADCO 061961234567 I\r\nOPTARIF EJP. "\r\nISOUSC 45 ?\r\nEJPHN 012345678 I\r\nEJPHPM 000456789 [\r\n'
    b'PEJP 30 R\r\nPTEC HN.. ^\r\nIINST 047 "\r\nADPS 047 C\r\nIMAX 090 H\r\nPAPP 10930 .\r\nHHPHC A ,\r\n'
    b"MOTDETAT 000000 B\r\x03"
)
S1_PRODUCER = (
    b"\x02\nADSC\t061964234567\tB\r\nVTIC\t02\tJ\r\nDATE\tE250621130502\t\t9\r\nEAST\t004321000\tY\r\n"
    b"EAIT\t000765432\t \r\nIRMS1\t007\t5\r\nURMS1\t238\tG\r\nSINSTS\t00000\tF\r\nSINSTI\t01660\tI\r\n"
    b"CCAIN\tE250621130000\t01502\t*\r\nSTGE\t013A0301\t>\r\x03"
)
S2_PEAK = (
    b"\x02\nADSC\t061964234567\tB\r\nDATE\th250115063000\t\tX\r\nNGTF\t      EJP       \t \r\nSTGE\t101B0001\t:\r\n"
    b"DPM1\t 250116070000\t00\t#\r\nFPM1\t 250117010000\t00\t \r\nNTARF\t01\tN\r\x03"
)
ALL = {"H1": H1, "H2": H2_SHORT, "H3": H3_EJP, "S1": S1_PRODUCER, "S2": S2_PEAK}


def wire(text: bytes) -> bytes:
    """Seven-bit text as an 8N1 port sees it on the even-parity line."""
    return bytes(byte | (byte.bit_count() % 2) << 7 for byte in text)


def group(label: str, data: str, stamp: str | None = None) -> bytes:
    """A standard group, LF to CR."""
    head = "\t".join([label, *([stamp] if stamp is not None else []), data, ""]).encode()
    return b"\n" + head + bytes([(sum(head) & 0x3F) + 0x20]) + b"\r"


def old_group(label: str, data: str) -> bytes:
    """A historic group, LF to CR."""
    head = f"{label} {data}".encode()
    return b"\n" + head + b" " + bytes([(sum(head) & 0x3F) + 0x20]) + b"\r"


def frame(*groups: bytes) -> bytes:
    return b"\x02" + b"".join(groups) + b"\x03"


def decode(data, **options):
    decoder = Decoder(**options)
    return decoder.feed(data) + decoder.finish()


def groups(events):
    return [event for event in events if isinstance(event, Group)]


def rejected(events):
    return [event for event in events if isinstance(event, Rejected)]


def ends(events):
    return [event for event in events if isinstance(event, End)]
