"""An invented music service with planted structure, for the demo, the tests and the benchmarks."""

from melon.demo.make import DemoScale, DemoTruth, ImpossibleDemo, make_demo

__all__ = ["DemoScale", "DemoTruth", "ImpossibleDemo", "make_demo"]
