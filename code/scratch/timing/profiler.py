# Tangled from book/09-gpu.qmd. Checksum e3f28ac5.
import torch

from scratch.timing.clocks import is_cuda, wait


def profiled(fn, device):
    """What torch's profiler sees of fn(): counts by kind."""
    kinds = torch.profiler.ProfilerActivity
    seen = [kinds.CPU]
    if is_cuda(device):
        seen.append(kinds.CUDA)
    for _ in range(2):                           # the first warms up
        wait(device)
        with torch.profiler.profile(activities=seen) as profile:
            fn()
            wait(device)
    return tally(profile.events())


def tally(events):
    """Counts of a profile's events; busy, in seconds.

    operations: calls of torch's that no other contains; launches,
    copies, waits and graphs: calls of CUDA; kernels: what then ran
    on the GPU, and was busy for so long.
    """
    names = [e.name for e in events]
    kernels = [
        e for e in events if str(e.device_type).endswith("CUDA")
        and not getattr(e, "is_user_annotation", False)
        and not e.name.startswith(("Mem", "##", "Torch-Compiled"))]
    def is_torch(event):
        return event is not None and event.name.startswith("aten::")

    outer = [e for e in events
             if is_torch(e) and not is_torch(e.cpu_parent)]
    return {
        "operations": len(outer),
        "launches": sum("LaunchKernel" in name for name in names),
        "copies": sum("MemcpyAsync" in name for name in names),
        "waits": names.count("cudaStreamSynchronize"),
        "graphs": names.count("cudaGraphLaunch"),
        "kernels": len(kernels),
        "busy": sum(e.time_range.elapsed_us() for e in kernels) / 1e6,
    }


def a_step(run, device, steps=10):
    """What the profiler sees of one step, a mean over `steps`.

    What an epoch does once, before and after its steps, is in a run
    of one step too, and cancels.
    """
    one = profiled(lambda: run(1), device)
    more = profiled(lambda: run(1 + steps), device)
    return {name: (more[name] - one[name]) / steps for name in one}
