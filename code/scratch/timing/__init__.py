# Tangled from book/09-gpu.qmd. Checksum 48f1918f.
"""How long our program takes, on a CPU and on a GPU."""

from scratch.timing.clocks import (
    Timing, clock, is_cuda, pick_device, race, readable, summary,
    time_op, wait, waiting)
from scratch.timing.loops import (
    BATCH, IMAGES, STEPS, Learner, TensorAdam, eager, fresh,
    gradients, pieces, unasked)
from scratch.timing.machine import about, cpu_name, driver_version
from scratch.timing.prediction import (
    H100, counted, gain, predict, predicted, ways_on)
from scratch.timing.profiler import a_step, profiled, tally
from scratch.timing.records import (
    Sizes, crossover, digits, label, make_record, measure, plain,
    read, shown, write)
from scratch.timing.replay import Tape, record, record_graph
from scratch.timing.roofline import (
    Ledger, bound, flat, layers, multiply_adds, powers_to, products,
    roof, threads, together, transfers)
from scratch.timing.ways import attempt, by_torch, cases
