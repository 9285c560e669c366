import sys
from pathlib import Path

# test files are imported by path (import-mode=importlib): the examples they share are found beside them
sys.path.insert(0, str(Path(__file__).parent))
