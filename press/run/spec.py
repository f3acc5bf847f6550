"""The one kernel that the press starts: that of its own Python."""

import sys

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager


class OneKernel(KernelSpecManager):
    """Whatever kernels are installed elsewhere, and by whatever name."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f",
                  "{connection_file}"],
            display_name="Python 3 (ipykernel)", language="python",
            metadata={"debugger": True},
        )
