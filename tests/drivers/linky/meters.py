"""Meter states for the tests of this room."""

from drivers.linky.sim import MeterState

NOON = 1_750_503_902_000  # 2025-06-21T13:05:02+02:00


def state(**changes):
    basis = {
        "at": NOON,
        "address": "021961234567",
        "import_wh": 4_321_000,
        "indexes": (3_000_000, 1_321_000),
        "export_wh": None,
        "voltage_v": (236.4,),
        "current_a": (5.2,),
        "import_va": 1234,
        "export_va": 0,
        "import_w": 1200.0,
        "export_w": 0.0,
        "index": 2,
        "calendar": "H PLEINE/CREUSE",
        "tariff": "HEURE  PLEINE",
        "mean_import_w": (950, NOON - NOON % 1_800_000),
        "mean_import_w_before": (870, NOON - NOON % 1_800_000 - 1_800_000),
    }
    return MeterState(**(basis | changes))


def producer(**changes):
    return state(
        **{
            "export_wh": 765_432,
            "import_va": 0,
            "export_va": 1660,
            "import_w": 0.0,
            "export_w": 1640.0,
            "max_export_va": (2900, NOON),
            "max_export_va_yesterday": (2800, NOON - 86_400_000),
            "mean_export_w": (1502, NOON),
            "mean_export_w_before": (1400, NOON),
        }
        | changes
    )


def three(**changes):
    return state(
        **{"address": "021963234567", "voltage_v": (230.0, 231.0, 232.0), "current_a": (1.0, 2.0, 30.0)} | changes
    )
